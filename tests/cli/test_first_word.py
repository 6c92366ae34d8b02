"""A word that is no command: a question, unless it may be a slip."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.answers import says
from providers.server import ProviderServer

from .conftest import Open, Run
from .rows import said


@pytest.mark.parametrize(
    "words",
    [["How high is the Zugspitze?"], ["what", "is", "a", "chat"], ["Hello"], ["hello", "there"]],
)
def test_a_question_needs_no_command(
    call: Run, provider: ProviderServer, database: Path, words: list[str]
) -> None:
    provider.script(says("Fine."))
    assert call(*words).stdout == "Fine.\n"
    assert said(database)[0][2] == " ".join(words)


def test_the_options_of_chat_need_no_command(call: Run, provider: ProviderServer) -> None:
    provider.script(says("Fine."), says("Still."))
    call("-s", "Be brief.", "How are you?")
    assert call("--last", "And now?").stdout == "Still.\n"
    assert provider.received[0].said()[0].text == "Be brief."


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["usge"], '"usge" is no command: did you mean chatrecord usage?'),
        (["usge", "--by", "day"], "did you mean chatrecord usage?"),
        (["shwo", "0199"], "did you mean chatrecord show?"),
        (["list"], '"list" is no command: see chatrecord --help.'),
    ],
)
def test_where_nobody_can_answer_a_slip_is_not_sent(
    run: Run, database: Path, words: list[str], told: str
) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert f'chatrecord chat "{words[0]}"' in done.stderr
    assert not database.exists()


def test_on_a_terminal_it_asks_and_no_is_no(terminal: Open, database: Path) -> None:
    with terminal("usge") as screen:
        screen.until('"usge" is no command (usage is). Ask the LLM "usge"? [y/N]')
        screen.type("")
        screen.until("Nothing was asked. Run chatrecord usage")
        assert screen.wait() == 1
    assert not database.exists()


def test_on_a_terminal_yes_asks_the_llm(
    terminal: Open, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("Hello!"))
    with terminal("hello") as screen:
        screen.until("[y/N]")
        screen.type("y")
        screen.until("Hello!")
        assert screen.wait() == 0
    assert said(database)[0][2] == "hello"


def test_after_chat_every_word_is_a_question(call: Run, provider: ProviderServer) -> None:
    provider.script(says("Usage, perhaps?"))
    assert call("chat", "usge").stdout == "Usage, perhaps?\n"


def test_a_question_that_begins_with_a_command_is_told_how_to_be_asked(
    call: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call("show", "me", "a", "poem")
    assert 'To ask it as a question: chatrecord "show me a poem"' in capsys.readouterr().err
