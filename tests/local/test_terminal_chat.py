"""The command with the local LLM, as on a machine without any key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatrecord.cli.llm import PROVIDERS
from cli.rows import said
from cli.terminal import CTRL_C, CTRL_D, Terminal

pytestmark = pytest.mark.local


def test_a_machine_without_a_key_talks_to_itself(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in PROVIDERS}
    environment.pop("CHATRECORD_DB", None)
    with Terminal("chat", environment=environment, folder=tmp_path) as screen:
        screen.until("Loading smollm2-135m-instruct on this machine ...")
        screen.prompt()
        screen.type("Write a long story about a fox and a hen.")
        screen.until("the")
        screen.press(CTRL_C)
        screen.until("stopped; the partial answer is stored")
        screen.prompt()
        screen.type("What is the capital of France?")
        screen.until(" out · on this machine · ")
        screen.prompt()
        screen.press(CTRL_D)
        assert screen.wait() == 0
    story, answer = said(tmp_path / "chats.db")[1::2]
    assert story[1] == "interrupted"
    assert "the" in story[2]
    assert answer[1] == "complete"
