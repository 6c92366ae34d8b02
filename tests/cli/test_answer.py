"""An answer with everything that can be in it, as it comes."""

from __future__ import annotations

import pytest

from chatrecord.cli.answer import stream_answer
from chatrecord.cli.screen import Screen
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.database import ReadyMade
from chatrecord.testing.script import Script, call, say, think


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}\n" * 20


async def test_tool_calls_and_reasoning_are_stored_with_the_answer(
    db: Database[ReadyMade], capsys: pytest.CaptureFixture[str]
) -> None:
    llm = Script(
        [think("Better ", "look."), say("Let me see."), call("weather", city="Graz")],
        [say("It is "), say("sunny.")],
    )
    chat = await create_chat(db, llm, tools=[weather])
    reply = await stream_answer(chat.stream("How is it in Graz?"), Screen())
    out, err = capsys.readouterr()
    assert out == "Let me see.\nIt is sunny.\n"
    reasoning, called, result = err.splitlines()
    assert reasoning == "Better look."
    assert called == '⚙ weather(city="Graz")'
    assert result.startswith('  → "Sunny in Graz\\nSunny in Graz')
    assert "… (" in result
    assert reply.text == "It is sunny."
