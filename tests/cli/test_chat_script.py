"""`./chat` asks what is typed behind it, unless that is a command."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chatrecord.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script where all is set up, with a program that prints what it is called with."""
    shutil.copy(ROOT / "chat", tmp_path / "chat")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "environment.sh", tmp_path / "scripts")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / ".venv" / ".ready").touch()
    for name in ("python", "chatrecord"):
        (programs / name).write_text('#!/bin/sh\necho "$@"\n')
        (programs / name).chmod(0o755)
    return tmp_path / "chat"


def called(script: Path, *words: str) -> list[str]:
    done = subprocess.run([script, *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_every_command_is_passed_on(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    commands = re.findall(r"^ {4}([a-z][a-z-]*)(?=\s)", capsys.readouterr().out, re.MULTILINE)
    assert {"chat", "usage", "doctor", "purge", "setup-local"} <= set(commands)
    assert {command: called(script, command) for command in commands} == {
        command: [command] for command in commands
    }


@pytest.mark.parametrize("words", [(), ("Hello", "there"), ("--last",)])
def test_anything_else_is_for_the_chat(script: Path, words: tuple[str, ...]) -> None:
    assert called(script, *words) == ["chat", *words]
