"""With an agent the code wins: model, tools and instructions are its, the history is the chat's."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai import Agent, RunContext
from pydantic_ai.models.test import TestModel
from pydantic_ai.toolsets import FunctionToolset

from chatrecord import Window, repeatable
from chatrecord.errors import AgentMismatch, ConfigurationError
from chatrecord.pydantic_ai import open_llm
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, say


async def test_a_chat_belongs_to_the_agent_it_began_with(db: Database) -> None:
    chat = await create_chat(db, Agent(Script([say("a")]), name="travel"))
    await chat.ask("Hi!")

    assert chat.record.agent == "travel"
    for other in (Agent(Script(), name="legal"), Agent(Script()), Script()):
        with pytest.raises(AgentMismatch, match="travel"):
            await load_chat(db, other, chat.id)
    again = await load_chat(db, Agent(Script([say("b")]), name="legal"), chat.id, any_agent=True)
    assert (await again.ask("And now?")).text == "b"


async def test_a_chat_without_an_agent_may_get_one(db: Database) -> None:
    chat = await create_chat(db, Script([say("a")]), instructions="Be brief.")
    await chat.ask("Hi!")
    script = Script([say("b")])

    agent = Agent(script, name="travel", instructions="Be an agent.")
    await (await load_chat(db, agent, chat.id)).ask("And now?")

    assert script.requests[-1][-1].instructions == "Be an agent."


@pytest.mark.parametrize("own", [{"instructions": "Be brief."}, {"tools": [print]}])
async def test_an_agent_brings_its_own(db: Database, own: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="its own instructions and tools"):
        await create_chat(db, Agent(Script()), **own)


async def test_tools_of_an_agent_get_their_dependencies(db: Database) -> None:
    agent = Agent(Script([call("whose")], [say("ok")]), deps_type=str)

    @agent.tool
    def whose(ctx: RunContext[str]) -> str:
        return f"of {ctx.deps}"

    chat = await create_chat(db, agent, deps="ann")
    reply = await chat.ask("Whose?")

    assert reply.tool_calls[0].result == "of ann"


async def test_a_system_prompt_is_sent_even_when_the_window_has_moved_on(db: Database) -> None:
    script = Script(*[[say(f"a{n}")] for n in range(4)])
    chat = await create_chat(db, Agent(script, system_prompt="Be kind."), window=Window(messages=2))

    for n in range(4):
        await chat.ask(f"q{n}")

    for request in script.requests:
        assert [part.content for part in request[0].parts if part.part_kind == "system-prompt"] == [
            "Be kind."
        ]


async def test_the_run_says_what_was_sent_along(db: Database) -> None:
    def look(where: str) -> str:
        return where

    chat = await create_chat(
        db,
        Script([say("a")]),
        instructions="Be brief.",
        tools=[look],
        settings={"temperature": 0.5},
    )
    reply = await chat.ask("Hi!")

    run = await db.store.get_run(chat.id, reply.run_id)
    assert run is not None
    assert run.instructions == "Be brief."
    assert run.settings == {"tools": ["look"], "model_settings": {"temperature": 0.5}}


def test_tools_of_wrapped_toolsets_are_never_repeated() -> None:
    """They may go by other names, and those of others."""

    @repeatable
    def check() -> str:
        return "looked"

    def book() -> str:
        return "booked"

    llm = open_llm(
        Agent(TestModel(), toolsets=[FunctionToolset([check]).prefixed("safe")], tools=[book]),
        instructions=None, tools=(), settings=None, deps=None, idle_timeout=None, retries=0, streaming=True,
    )  # fmt: skip
    own = open_llm(
        Agent(TestModel(), tools=[check, book]),
        instructions=None, tools=(), settings=None, deps=None, idle_timeout=None, retries=0, streaming=True,
    )  # fmt: skip

    assert set(llm.repeatable) == set()
    assert set(own.repeatable) == {"check"}
