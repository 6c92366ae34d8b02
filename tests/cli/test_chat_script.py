"""`./chat` is `chatrecord`, set up: alone it starts a chat, and all else is passed on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatrecord.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The script before its first start, with programs that print what they are called with."""
    shutil.copy(ROOT / "chat", tmp_path / "chat")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "environment.sh", tmp_path / "scripts")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "chatrecord"):
        (programs / name).write_text('#!/bin/sh\necho "$@"\n')
        (programs / name).chmod(0o755)
    return tmp_path / "chat"


@pytest.fixture
def script(new: Path) -> Path:
    """The script where all is set up."""
    (new.parent / ".venv" / ".ready").touch()
    return new


def called(script: Path, *words: str) -> list[str]:
    done = subprocess.run([script, *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_every_command_is_passed_on(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    commands = re.findall(r"^ {4}([a-z][a-z-]*)(?=\s)", capsys.readouterr().out, re.MULTILINE)
    assert {"chat", "usage", "doctor", "purge", "models", "setup-local"} <= set(commands)
    assert {command: called(script, command) for command in commands} == {
        command: [command] for command in commands
    }


@pytest.mark.parametrize("words", [("Hello", "there"), ("--last",), ("-h",), ("usge",)])
def test_what_is_typed_is_not_changed(script: Path, words: tuple[str, ...]) -> None:
    assert called(script, *words) == [*words]


def test_alone_it_starts_a_chat(script: Path) -> None:
    assert called(script) == ["chat"]


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_its_help_is_that_of_the_program(script: Path, option: str) -> None:
    program = script.parent / ".venv" / "bin" / "chatrecord"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatrecord "$@"\n')
    environment = {**os.environ, "COLUMNS": "100"}
    told = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        for command in ([script, option], [sys.executable, "-m", "chatrecord", option])
    ]
    assert told[0].replace(str(script), "chatrecord").split() == told[1].split()


def test_what_the_first_start_does_is_not_in_an_export(new: Path) -> None:
    done = subprocess.run([new, "export", "ID"], capture_output=True, text=True, check=True)
    assert done.stdout == "export ID\n"
    assert "Installing chatrecord" in done.stderr
    assert "setup-local" in done.stderr
    assert (new.parent / ".venv" / ".ready").exists()


def test_a_shell_that_completes_does_not_install(new: Path) -> None:
    environment = {**os.environ, "_ARGCOMPLETE": "1"}
    done = subprocess.run([new], capture_output=True, text=True, check=True, env=environment)
    assert (done.stdout, done.stderr) == ("", "")
