"""A chat in a real terminal."""

from __future__ import annotations

from pathlib import Path

from providers.answers import Spent, says
from providers.server import ProviderServer

from .conftest import MODEL, Open
from .rows import active_runs, rows, said
from .terminal import CTRL_C, CTRL_D


def test_a_chat_from_its_first_word_to_the_way_back(
    terminal: Open, provider: ProviderServer, database: Path
) -> None:
    provider.script(says("Hel", "lo!", delay=0.3), says("Bye."))
    with terminal("chat", "--model", MODEL) as screen:
        screen.until("Ctrl-C stops an answer, Ctrl-D leaves")
        screen.prompt()
        screen.type("Hi")
        screen.until("thinking ...")
        screen.until("Hello!")
        assert " · cost unknown · " in screen.prompt()
        screen.type("I must go")
        screen.until("Bye.")
        screen.prompt()
        screen.press(CTRL_D)
        way_back = screen.until("chat --chat ")
        assert screen.wait() == 0
    assert "Continue with: chatrecord chat" in way_back
    assert [text for _, _, text in said(database)] == ["Hi", "Hello!", "I must go", "Bye."]
    assert rows(database, "SELECT title FROM llm_chats") == [("Hi",)]


def test_ctrl_c_in_mid_answer_keeps_the_text_and_the_chat_continues(
    terminal: Open, provider: ProviderServer, database: Path
) -> None:
    provider.script(says(*"abcdefghij" * 60, pause=0.02), says("Of course."))
    with terminal("chat", "--model", MODEL) as screen:
        screen.prompt()
        screen.type("Say the alphabet")
        screen.until("abcde")
        screen.press(CTRL_C)
        screen.until("stopped; the partial answer is stored")
        screen.prompt()
        (_, _, _), (role, status, text) = said(database)
        assert (role, status) == ("assistant", "interrupted")
        assert ("abcdefghij" * 60).startswith(text)
        assert len(text) >= 5
        assert active_runs(database) == 0
        screen.type("Go on?")
        screen.until("Of course.")
    assert [one.text for one in provider.received[1].said()] == ["Say the alphabet", text, "Go on?"]


def test_ctrl_c_at_the_prompt_leaves_and_says_how_to_come_back(
    terminal: Open, provider: ProviderServer
) -> None:
    provider.script(says("Hello!"))
    with terminal("chat", "--model", MODEL) as screen:
        screen.prompt()
        screen.type("Hi")
        screen.until("Hello!")
        screen.prompt()
        screen.press(CTRL_C)
        screen.until("chatrecord chat --chat ")
        assert f"--model {MODEL}" in screen.until("\r\n")
        assert screen.wait() == 0


def test_a_chat_without_messages_leaves_no_row(terminal: Open, database: Path) -> None:
    with terminal("chat", "--model", MODEL) as screen:
        screen.prompt()
        screen.press(CTRL_D)
        assert screen.wait() == 0
    assert "Continue with" not in screen.shown
    assert rows(database, "SELECT count(*) FROM llm_chats") == [(0,)]


def test_resuming_shows_the_last_messages(terminal: Open, provider: ProviderServer) -> None:
    provider.script(says("Paris.", spent=Spent()), says("Madrid."))
    with terminal("chat", "--model", MODEL, "Capital of France?") as screen:
        assert screen.wait() == 0
    with terminal("chat", "--model", MODEL, "--last") as screen:
        earlier = screen.prompt()
        assert "Capital of France?" in earlier
        assert "Paris." in earlier
        screen.type("And of Spain?")
        screen.until("Madrid.")
    assert [one.text for one in provider.received[1].said()][:2] == ["Capital of France?", "Paris."]


def test_reasoning_is_shown_apart_from_the_answer(terminal: Open, provider: ProviderServer) -> None:
    provider.script(says("Four.", reasoning=("Two and two", " is four.")))
    with terminal("chat", "--model", MODEL, "2 + 2?") as screen:
        assert screen.wait() == 0
    assert "\x1b[90mTwo and two" in screen.raw
    assert "is four.\r\nFour.\r\n" in screen.shown


def test_a_title_is_not_markup_in_the_table_of_a_terminal(
    terminal: Open, provider: ProviderServer
) -> None:
    provider.script(says("Hello!"))
    with terminal("chat", "--model", MODEL, "What is [red]this?") as screen:
        assert screen.wait() == 0
    with terminal("chats") as screen:
        assert screen.wait() == 0
    assert ":gpt-4o" in screen.shown
    assert "What is [red]this?" in screen.shown


def test_no_other_product_is_advertised(
    terminal: Open, provider: ProviderServer, environment: dict[str, str]
) -> None:
    environment.pop("PYDANTIC_AI_NO_BANNER", None)
    provider.script(says("Hello!"))
    with terminal("chat", "--model", MODEL) as screen:
        screen.prompt()
        screen.type("Hi")
        screen.until("Hello!")
        screen.prompt()
        screen.press(CTRL_D)
        assert screen.wait() == 0
    with terminal("chat", "--model", "anthropic:claude-sonnet-5-5", "Hi") as failed:
        assert failed.wait() == 1
    assert "Set the `ANTHROPIC_API_KEY` environment variable" in failed.shown
    for product in ("logfire", "pydantic", "http"):
        assert product not in (screen.shown + failed.shown).lower()
