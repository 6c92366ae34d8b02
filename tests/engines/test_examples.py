"""The examples run as they are shown, with a real broker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import make_url

from conftest import _database_on

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


@pytest.mark.parametrize("engine", WORKERS)
def test_an_example_answers(engine: str, url: str, tmp_path: Path) -> None:
    broker, port, worker = WORKERS[engine]
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        pytest.skip(f"nothing answers on port {port}")
    environment = os.environ | {"CHATS_URL": url, "CHATS_BROKER": broker, "CHAT_LLM": "test"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *worker],
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

    assert asked.returncode == 0, asked.stderr + (tmp_path / "log").read_text()
    assert asked.stdout == '{"search_handbook":"Thirty days of paid leave a year."}\n'
