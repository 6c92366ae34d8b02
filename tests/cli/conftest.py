"""The command, run as a stranger runs it: a process with an environment and a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatrecord.cli import main
from chatrecord.cli.llm import PROVIDERS
from providers.server import ProviderServer
from rerouted import reroute_everything

from .provider import serving
from .terminal import Terminal

MODEL = "openai-chat:gpt-4o"
"""Has a known price, and speaks the protocol that most providers copy."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]
Open = Callable[..., Terminal]


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    with serving(ProviderServer()) as server:
        yield server
    assert server.faults == []
    assert server.unused == 0


@pytest.fixture
def environment(provider: ProviderServer) -> dict[str, str]:
    ours = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{provider.address}/v1"}
    theirs = {name: value for name, value in os.environ.items() if name not in PROVIDERS}
    for name in ("CHATRECORD_DB", "NO_COLOR", "COLUMNS"):
        theirs.pop(name, None)
    return theirs | ours


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the command keeps its chats when it is told nothing."""
    return tmp_path / "chats.db"


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """`run("chat", "Hi")`: the finished process, with its output."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "chatrecord", *arguments],
            input=stdin, capture_output=True, text=True,
            env=environment, cwd=tmp_path, timeout=60, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def call(
    environment: dict[str, str],
    provider: ProviderServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """The same without a process of its own, which would take longer than what is tested."""
    monkeypatch.chdir(tmp_path)
    for name in PROVIDERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OPENAI_BASE_URL")  # a price is known at a provider's own address
    reroute_everything(monkeypatch, provider.address)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        status = main(arguments)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, out, err)

    return call


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """The same, to be met while it runs."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "chatrecord", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, cwd=tmp_path,
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Open:
    """`terminal("chat")`: the command in a terminal, to be typed into and looked at."""

    def terminal(*arguments: str) -> Terminal:
        return Terminal(*arguments, environment=environment, folder=tmp_path)

    return terminal
