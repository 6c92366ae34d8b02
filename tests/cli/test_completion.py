"""Tab, in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from providers.answers import says
from providers.server import ProviderServer

from .conftest import MODEL, Run

BASH = shutil.which("bash") or ""
# What bash does when somebody presses Tab.
PRESS_TAB = """
eval "$(chatrecord completion bash)"
COMP_LINE="$1" COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
COMP_WORDS=($1)
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
$(complete -p chatrecord | sed 's/.*-F \\([^ ]*\\).*/\\1/') chatrecord
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def tab(environment: dict[str, str], tmp_path: Path) -> object:
    """`tab("chatrecord sh")`: what bash offers."""
    if not BASH:
        pytest.skip("there is no bash")
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "chatrecord"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatrecord "$@"\n')
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{environment['PATH']}"

    def tab(line: str) -> list[str]:
        done = subprocess.run(
            [BASH, "--norc", "-c", PRESS_TAB, "bash", line],
            capture_output=True, text=True, env=environment | {"PATH": path}, cwd=tmp_path,
        )  # fmt: skip
        assert done.stderr == ""
        return [word.strip() for word in done.stdout.splitlines() if word]

    return tab


def test_commands_options_and_choices(tab) -> None:
    assert tab("chatrecord us") == ["usage"]
    assert tab("chatrecord chat --no") == ["--no-stream"]
    assert tab("chatrecord purge --audit k") == ["keep"]


def test_chats_models_and_files(tab, call: Run, provider: ProviderServer, tmp_path: Path) -> None:
    assert tab("chatrecord show 0") == []
    provider.script(says("Hello!"))
    call("chat", "--model", MODEL, "Hi there")
    chat_id = call("chats").stdout.split("\t")[0]
    assert tab(f"chatrecord show {chat_id[:6]}") == [chat_id]
    assert "local" in tab("chatrecord chat --model l")
    (tmp_path / "tools.py").touch()
    assert tab("chatrecord chat --tools to") == ["tools.py"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_lines(call: Run, shell: str) -> None:
    assert "chatrecord" in call("completion", shell).stdout
