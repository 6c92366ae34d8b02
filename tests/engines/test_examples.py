"""The examples run as they are shown, with a real broker."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from conftest import _database_on

from .brokers import delete_queue, delete_stream

EXAMPLES = Path(__file__).parents[2] / "examples" / "workers"
WORKERS = {
    "procrastinate": ("", 5432, ["with_procrastinate.py", "worker"]),
    "celery": (
        "amqp://guest:guest@127.0.0.1:5672//",
        5672,
        ["-m", "celery", "-A", "with_celery", "worker", "-Q", "chats", "-c", "1"],
    ),
    "dbos": ("", 5432, ["with_dbos.py", "worker"]),
    "taskiq": (
        "nats://127.0.0.1:4222",
        4222,
        ["-m", "taskiq", "worker", "with_taskiq:broker", "--workers", "1"],
    ),
}


@pytest.fixture
def url(postgresql_url: str) -> Iterator[str]:
    server = make_url(postgresql_url).set(drivername="postgresql+psycopg")
    yield from _database_on(server, "postgres")


async def _delete_stream(url: str, name: str) -> None:
    from .taskiq_worker import broker_at

    broker = broker_at(url, name)
    await broker.startup()
    await delete_stream(broker, name)
    await broker.shutdown()


@pytest.mark.parametrize("engine", WORKERS)
def test_an_example_answers(engine: str, url: str, tmp_path: Path) -> None:
    broker, port, worker = WORKERS[engine]
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        pytest.skip(f"nothing answers on port {port}")
    queue = f"chats-{uuid4().hex[:8]}"
    environment = os.environ | {
        "CHATS_URL": url,
        "CHATS_BROKER": broker,
        "CHATS_QUEUE": queue,
        "CHAT_LLM": "test",
    }
    if worker[-1] == "worker":  # its engine has tables, too
        setup = [sys.executable, worker[0], "setup"]
        subprocess.run(setup, cwd=EXAMPLES, env=environment, check=True, timeout=90)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *(queue if part == "chats" else part for part in worker)],
            cwd=EXAMPLES,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        asked = subprocess.run(
            [sys.executable, f"with_{engine}.py", "ask", "Leave?"],
            cwd=EXAMPLES,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if engine == "celery":
            from celery import Celery

            delete_queue(Celery(broker=broker, set_as_current=False), queue)
        elif engine == "taskiq":
            asyncio.run(_delete_stream(broker, queue))

    assert asked.returncode == 0, asked.stderr + (tmp_path / "log").read_text()
    assert asked.stdout == '{"search_handbook":"Thirty days of paid leave a year."}\n'
