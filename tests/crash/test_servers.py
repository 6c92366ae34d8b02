"""Real servers that load an application with a `Database`, and fork or patch what it needs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent


def test_gunicorn_may_load_a_database_that_is_used_before_it_forks(postgresql_url: str) -> None:
    """Each worker has connections and a name of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    at = f"127.0.0.1:{port}"
    worker = ("--worker-class", "uvicorn_worker.UvicornWorker", "--workers", "2")
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        *worker,
        "-b",
        at,
        "preloaded_app:app",
    ]
    environment = {**os.environ, "PRELOADED_URL": postgresql_url, "PYTHONPATH": _path()}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            _wait_for(port, server)
            answers = asyncio.run(_asked_until_two_answer(f"http://{at}/"))
        finally:
            server.send_signal(signal.SIGTERM)
            _, said = server.communicate(timeout=30)

    assert {answer["text"] for answer in answers} == {"abc"}
    owners = {answer["owner"]: answer["process"] for answer in answers}
    assert len(owners) == len(set(owners.values())) == 2, "two processes, each under its own name"
    assert "Traceback" not in said and "[ERROR]" not in said, said


def test_where_threads_are_replaced_the_first_use_says_what_to_do(tmp_path: Path) -> None:
    program = f"""
from gevent import monkey
monkey.patch_all()
from chatrecord.sqlalchemy import Database, sync
sync.wait(Database("sqlite:///{tmp_path / "chats.db"}").create_tables())
"""
    environment = {**os.environ, "PYTHONPATH": _path()}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "gunicorn --worker-class gthread" in ran.stderr


async def _asked_until_two_answer(url: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while len({answer["process"] for answer in answers}) < 2:
            answers += await _asked(url, 12)
    return answers


async def _asked(url: str, times: int) -> list[dict[str, Any]]:
    limits = httpx.Limits(max_keepalive_connections=0)  # so that each may reach another worker
    async with httpx.AsyncClient(timeout=30, limits=limits) as web:
        found = await asyncio.gather(*(web.get(url) for _ in range(times)))
    return [answer.json() for answer in found]


def _path() -> str:
    return os.pathsep.join([str(HERE), *filter(None, sys.path)])


def _wait_for(port: int, server: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the server has not come up")
