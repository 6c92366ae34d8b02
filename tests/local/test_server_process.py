"""The server's process: there while it is needed, and never longer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatrecord.errors import ConfigurationError
from chatrecord.local import LocalServer, local_llm, server
from chatrecord.local.model import model_of

from .processes import ends, is_running

pytestmark = pytest.mark.local

OWNER = """
import sys, time
from chatrecord.local import LocalServer
server = LocalServer()
server.launch()
if sys.argv[1] == "ready":
    server.wait_until_ready()
print(server.pid, flush=True)
time.sleep(60)
"""


def answers(base_url: str) -> bool:
    address = urlsplit(base_url)
    with socket.socket() as connection:
        return connection.connect_ex((str(address.hostname), address.port or 0)) == 0


def test_it_answers_on_loopback_alone_until_it_is_stopped() -> None:
    with LocalServer() as running:
        pid, base_url = running.pid, running.base_url
        assert base_url.startswith("http://127.0.0.1:")
        assert answers(base_url)
    assert not is_running(pid)
    assert not answers(base_url)


async def test_no_request_is_sent_on_a_connection_that_the_server_may_be_closing() -> None:
    with LocalServer() as running:
        async with model_of(running) as llm:
            client = llm.client._client
            await client.get(f"{running.base_url}/models")
            assert client._transport._pool.connections == []


async def test_an_error_in_the_block_stops_it_too() -> None:
    base_url = ""
    with pytest.raises(ZeroDivisionError):
        async with local_llm() as llm:
            base_url = llm.base_url
            raise ZeroDivisionError
    assert not answers(base_url)


@pytest.mark.parametrize("moment", ["loading", "ready"])
def test_it_dies_with_the_process_that_started_it(moment: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, moment], stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        owner.kill()
    assert ends(pid)


def test_ctrl_c_in_the_terminal_is_not_for_it() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", f"import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{OWNER}", "ready"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        os.killpg(owner.pid, signal.SIGINT)
        time.sleep(0.3)
        assert is_running(pid)
        owner.kill()
    assert ends(pid)


def test_weights_that_are_none_are_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "broken.gguf"
    weights.write_bytes(b"not weights")
    monkeypatch.setattr(server, "find_weights", lambda: weights)
    with pytest.raises(
        ConfigurationError, match=r"The local LLM did not start: .*failed to load model"
    ):
        LocalServer().__enter__()


def test_it_has_no_id_before_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = LocalServer().pid
