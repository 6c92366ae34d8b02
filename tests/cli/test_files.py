"""`-a FILE`: files that go with a question."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from providers.answers import says
from providers.server import ProviderServer

from .conftest import MODEL, Open, Run
from .rows import rows
from .terminal import CTRL_D

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def sent(provider: ProviderServer, request: int = 0) -> str:
    return str(provider.received[request].body["messages"])


def test_files_are_sent_with_the_question_and_kept(
    call: Run, provider: ProviderServer, tmp_path: Path, database: Path
) -> None:
    (tmp_path / "policy.txt").write_text("Travel by train.")
    (tmp_path / "chart.png").write_bytes(PNG)
    provider.script(says("By train."))
    done = call("chat", "-m", MODEL, "-a", "policy.txt", "-a", "chart.png", "What does it say?")
    assert done.stdout == "By train.\n"
    assert "Travel by train." in sent(provider)
    assert "data:image/png;base64," in sent(provider)
    assert rows(database, "SELECT media_type FROM llm_attachments ORDER BY 1") == [
        ("image/png",),
        ("text/plain",),
    ]
    shown = call("show", call("chats").stdout.split("\t")[0]).stdout
    assert "+ policy.txt (text/plain, 16 bytes)" in shown


def test_a_file_is_piped_in(
    environment: dict[str, str], provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(says("By train."))
    command = [sys.executable, "-m", "chatrecord", "-m", MODEL, "What does it say?", "-a", "-"]
    done = subprocess.run(
        command, input=b"Travel by train.", capture_output=True, env=environment, cwd=tmp_path
    )
    assert done.stdout == b"By train.\n"
    assert "Travel by train." in sent(provider)


def test_an_address_is_passed_on(call: Run, provider: ProviderServer) -> None:
    provider.script(says("A cat."))
    call("chat", "-m", MODEL, "-a", "https://example.com/cat.jpg", "What is it?")
    assert "https://example.com/cat.jpg" in sent(provider)


def test_in_a_talk_they_go_with_the_first_question(
    terminal: Open, provider: ProviderServer, tmp_path: Path, database: Path
) -> None:
    (tmp_path / "policy.txt").write_text("Travel by train.")
    provider.script(says("By train."), says("Always."))
    with terminal("chat", "-m", MODEL, "-a", "policy.txt") as screen:
        screen.until("with the first question: policy.txt")
        screen.prompt()
        screen.type("What does it say?")
        screen.until("By train.")
        screen.prompt()
        screen.type("Always?")
        screen.until("Always.")
        screen.prompt()
        screen.press(CTRL_D)
        assert screen.wait() == 0
    texts = [str(content) for (content,) in rows(database, "SELECT content FROM llm_messages")]
    assert sum("policy.txt" in text for text in texts) == 1


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("none.txt", "The file none.txt cannot be read: No such file"),
        ("empty.txt", "The file empty.txt is empty"),
        ("blob", "Unknown file type of blob: rename it, for example to report.pdf"),
        (".", "The file . cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_sent_begins_no_chat(
    call: Run, tmp_path: Path, database: Path, file: str, told: str
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "blob").write_bytes(b"\x00\xff\x07")
    done = call("chat", "-m", MODEL, "-a", file, "What is it?")
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not database.exists()


def test_the_pipe_cannot_be_the_question_as_well(run: Run) -> None:
    done = run("chat", "-m", MODEL, "-a", "-", stdin="Travel by train.")
    assert done.returncode == 1
    assert 'say the question: chatrecord chat "..." -a -' in done.stderr
