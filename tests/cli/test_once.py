"""One question and its answer, as scripts and pipes use the command."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from providers.answers import Spent, says, server_error
from providers.server import ProviderServer

from .conftest import MODEL, Run, Start
from .rows import active_runs, rows, said

ALL = "abcdefghij" * 60
LONG = says(*ALL, pause=0.02)


def test_only_the_answer_is_written_to_standard_output(
    run: Run, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("Par", "is.", spent=Spent(input=1200, output=34)))
    done = run("chat", "--model", MODEL, "Capital", "of France?")
    assert (done.returncode, done.stdout) == (0, "Paris.\n")
    assert said(database) == [
        ("user", "complete", "Capital of France?"),
        ("assistant", "complete", "Paris."),
    ]


def test_without_streaming_the_answer_comes_whole(
    start: Start, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("Par", "is.", pause=0.5))
    process = start("chat", "--model", MODEL, "--no-stream", "Capital of France?")
    assert process.stdout is not None
    assert process.stdout.read(1) == "P"
    assert said(database)[-1] == ("assistant", "complete", "Paris.")
    assert process.stdout.read() == "aris.\n"


def test_without_streaming_a_cut_answer_is_shown_as_far_as_it_came(
    call: Run, provider: ProviderServer
) -> None:
    provider.script(says("Par", "is.", ends="dropped"))
    done = call("chat", "--model", MODEL, "--no-stream", "Capital of France?")
    assert (done.returncode, done.stdout) == (1, "Paris.\n")


def test_tokens_and_cost_are_shown_with_the_answer(call: Run, provider: ProviderServer) -> None:
    provider.script(says("Paris.", spent=Spent(input=1200, output=34)))
    told = call("chat", "--model", MODEL, "Capital of France?").stderr
    assert told.startswith("1,200 in, 34 out · $0.0033 · ")
    assert "\x1b" not in told


def test_an_unknown_price_is_not_called_zero(call: Run, provider: ProviderServer) -> None:
    provider.script(says("Hello."))
    told = call("chat", "--model", "openai-chat:of-our-own", "Hi").stderr
    assert "cost unknown" in told
    assert "$" not in told


def test_a_question_can_be_piped_in(run: Run, provider: ProviderServer) -> None:
    provider.script(says("Two."))
    assert run("chat", "--model", MODEL, stdin="One and\none?\n").stdout == "Two.\n"
    assert provider.received[0].said()[-1].text == "One and\none?"


def test_the_key_in_the_environment_chooses_the_provider(
    call: Run, provider: ProviderServer
) -> None:
    provider.script(says("Hello."))
    assert call("chat", "Hi").stdout == "Hello.\n"
    assert provider.received[0].body["model"] == "gpt-6.1-terra"


def test_last_continues_the_latest_chat(
    call: Run, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("Paris."), says("Madrid."))
    call("chat", "--model", MODEL, "--instructions", "Be brief.", "Capital of France?")
    call("chat", "--model", MODEL, "--last", "And of Spain?")
    assert [(one.who, one.text) for one in provider.received[1].said()] == [
        ("system", "Be brief."),
        ("user", "Capital of France?"),
        ("assistant", "Paris."),
        ("user", "And of Spain?"),
    ]
    assert rows(database, "SELECT count(*) FROM llm_chats") == [(1,)]


def test_a_failing_provider_prints_one_line_and_the_chat_continues(
    call: Run, provider: ProviderServer, database: Path
) -> None:
    provider.script(server_error(), server_error(), server_error(), says("Back again."))
    failed = call("chat", "--model", MODEL, "Hi")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("chatrecord: The provider of gpt-4o answered 500")
    assert failed.stderr.count("\n") == 1
    assert call("chat", "--model", MODEL, "--last", "Still there?").stdout == "Back again.\n"
    assert [status for _, status, _ in said(database)] == [
        "complete",
        "failed",
        "complete",
        "complete",
    ]


def test_what_would_steer_the_terminal_is_not_passed_on(
    call: Run, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("\x1b]0;owned\x07", "fine\x00"))
    assert call("chat", "--model", MODEL, "Hi").stdout == "]0;ownedfine\n"
    assert said(database)[-1][2].startswith("\x1b]0;owned")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_mid_answer_keeps_what_came(
    start: Start, call: Run, provider: ProviderServer, number: int, status: int
) -> None:
    provider.script(LONG, says("Of course."))
    process = start("chat", "--model", MODEL, "Say the alphabet.")
    assert process.stdout is not None
    seen = process.stdout.read(20)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == status
    assert call("chat", "--model", MODEL, "--last", "Go on?").stdout == "Of course.\n"
    kept = provider.received[1].said()[1]
    assert kept.who == "assistant"
    assert kept.text.startswith((seen + rest).strip())
    assert ALL.startswith(kept.text)


def test_what_a_signal_cut_off_is_interrupted_in_the_rows(
    start: Start, provider: ProviderServer, database: Path
) -> None:
    provider.script(LONG)
    process = start("chat", "--model", MODEL, "Say the alphabet.")
    assert process.stdout is not None
    process.stdout.read(20)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert [status for _, status, _ in said(database)] == ["complete", "interrupted"]
    assert active_runs(database) == 0
