"""What a turn has stored, it does not write again for what the LLM library adds to it later."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from pydantic_ai import Agent, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.run import AgentRunResult
from sqlalchemy import text

from chatrecord.hooks import MaskPersonalData
from chatrecord.pydantic_ai import message_history
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, say


def add(a: int, b: int) -> int:
    return a + b


PLAIN, WITH_A_TOOL = [[say("hi")]], [[call("add", a=1, b=2)], [say("3")]]
ONCE, TWICE = 1, 2


@pytest.fixture
async def db() -> AsyncIterator[Database[Any]]:
    async with Database("sqlite:///:memory:") as made:
        await made.create_tables()
        async with made.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE written (role TEXT, seq INTEGER)"))
            for event in ("INSERT", "UPDATE"):
                trigger = (
                    f"CREATE TRIGGER after_{event} AFTER {event} ON llm_messages BEGIN"
                    " INSERT INTO written VALUES (new.role, new.seq); END"
                )
                await connection.execute(text(trigger))
        yield made


async def writes(db: Database[Any]) -> dict[str, int]:
    """How often each message was written, the most often of each role."""
    async with db.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT role, seq FROM written"))).all()
    most: dict[str, int] = {}
    for (role, _), count in Counter(map(tuple, rows)).items():
        most[role] = max(count, most.get(role, 0))
    return most


@pytest.mark.parametrize("answers", [PLAIN, WITH_A_TOOL], ids=["plain", "with a tool"])
@pytest.mark.parametrize("instructions", [None, "Be brief.\n\nBe kind."])
async def test_a_question_is_written_once_and_an_answer_when_it_begins_and_ends(
    db: Database[Any], answers: Sequence[Any], instructions: str | None
) -> None:
    chat = await create_chat(db, Script(*answers), tools=[add], instructions=instructions)

    await chat.ask("1 + 2?")

    expected = {"user": ONCE, "assistant": TWICE, **({"tool": ONCE} if len(answers) > 1 else {})}
    assert await writes(db) == expected


async def test_neither_are_those_of_an_agent_with_literal_instructions(db: Database[Any]) -> None:
    agent: Agent[Any, Any] = Agent(Script(*WITH_A_TOOL), tools=[add], instructions=["One.", "Two."])
    chat = await create_chat(db, agent)

    await chat.ask("1 + 2?")

    assert await writes(db) == {"user": ONCE, "assistant": TWICE, "tool": ONCE}


async def test_what_is_stored_is_what_the_run_held(db: Database[Any]) -> None:
    """To the last field, whatever was written early."""
    held: list[Sequence[ModelMessage]] = []

    class Seen(AbstractCapability[object]):
        async def after_run(
            self, ctx: RunContext[object], *, result: AgentRunResult[Any]
        ) -> AgentRunResult[Any]:
            held.append(result.all_messages())
            return result

    def instructions(ctx: RunContext[object]) -> str:
        return f"You were asked {ctx.prompt!r}."

    for asked in ("literal", instructions):
        agent: Agent[Any, Any] = Agent(
            Script(*WITH_A_TOOL), tools=[add], instructions=asked, capabilities=[Seen()]
        )
        chat = await create_chat(db, agent)

        await chat.ask("1 + 2?")

        found = await message_history(db, chat.id)
        assert found == held.pop()
        assert {message.conversation_id for message in found} == {str(chat.id)}
        run_ids = {str(record.run_id) for record in await chat.messages()}
        assert {message.run_id for message in found} == run_ids


async def test_what_a_hook_of_the_agent_changes_afterwards_is_stored_too(db: Database[Any]) -> None:
    class Changing(AbstractCapability[object]):
        async def after_model_request(
            self,
            ctx: RunContext[object],
            *,
            request_context: ModelRequestContext,
            response: ModelResponse,
        ) -> ModelResponse:
            response.metadata = {"seen": True}
            for part in response.parts:
                if isinstance(part, TextPart):
                    part.content = part.content.upper()
            return response

        async def after_run(
            self, ctx: RunContext[object], *, result: AgentRunResult[Any]
        ) -> AgentRunResult[Any]:
            result.all_messages()[0].metadata = {"late": True}
            return result

    agent: Agent[Any, Any] = Agent(Script(*WITH_A_TOOL), tools=[add], capabilities=[Changing()])
    chat = await create_chat(db, agent)

    await chat.ask("1 + 2?")

    question, first, _, last = await message_history(db, chat.id)
    assert question.metadata == {"late": True}
    assert first.metadata == last.metadata == {"seen": True}


async def test_what_is_masked_stays_masked(db: Database[Any]) -> None:
    chat = await create_chat(
        db, Script(*WITH_A_TOOL), tools=[add], hooks=[MaskPersonalData(rows="mask")]
    )

    await chat.ask("I am ada@example.com. 1 + 2?")

    assert "ada@example.com" not in str([record.content for record in await chat.messages()])
    assert await writes(db) == {"user": ONCE, "assistant": TWICE, "tool": ONCE}


async def test_a_run_in_a_tool_of_another_is_recorded_by_itself(db: Database[Any]) -> None:
    """Each by its own recording, though neither is handed to its agent."""

    async def ask_a_colleague() -> str:
        colleague = await create_chat(db, Script([say("inner")]))
        return (await colleague.ask("Inside?")).text

    chat = await create_chat(
        db, Script([call("ask_a_colleague")], [say("outer")]), tools=[ask_a_colleague]
    )

    reply = await chat.ask("Outside?")

    texts = [record.text for record in await chat.messages()]
    assert (texts[0], texts[-1]) == ("Outside?", "outer")
    assert len(texts) == 4
    assert "inner" in str((await chat.tool_calls())[0].result)
    assert reply.text == "outer"
