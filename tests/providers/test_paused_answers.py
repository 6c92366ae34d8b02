"""Answers that the provider pauses and is asked to continue: one message, a row for each request."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from pydantic_ai import Agent, WebSearchTool
from pydantic_ai.capabilities import NativeTool, ProcessEventStream
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel

from chatrecord import Budget
from chatrecord.errors import RunError, RunInterrupted, RunStopped
from chatrecord.pydantic_ai import Persisted, message_history
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, Ending, Scripted, Spent, says, server_error
from .conftest import ANTHROPIC, OPENAI_RESPONSES, ConnectModel
from .rows import answers, last_answer, until
from .server import ProviderServer


@pytest.fixture
def llm(connect: ConnectModel) -> Model:
    """The provider that pauses."""
    return connect(ANTHROPIC)


PAUSED = Answer(
    text=("I ", "look."), searches=("srvtoolu_1",), paused=True, spent=Spent(100, 10, 0, 0)
)
CONTINUED = Answer(found=("srvtoolu_1",), text=("Sun", "ny."), spent=Spent(150, 20, 0, 0))
PAUSED_AGAIN = Answer(found=("srvtoolu_1",), text=("More.",), searches=("srvtoolu_2",), paused=True)
LAST = Answer(found=("srvtoolu_2",), text=("Sun", "ny."))

Ask = Callable[[Database, Model, UUID], Awaitable[str]]
"""Ask one question in a chat; what was said in answer."""


def searching(model: Model, **options: object) -> Agent:
    return Agent(model, name="s", capabilities=[NativeTool(WebSearchTool())], **options)  # type: ignore[call-overload, no-any-return]


async def ask(db: Database, model: Model, chat_id: UUID) -> str:
    chat = await load_chat(db, searching(model), chat_id, retries=0)
    return (await chat.ask("Weather?")).text


async def stream(db: Database, model: Model, chat_id: UUID) -> str:
    chat = await load_chat(db, searching(model), chat_id, retries=0)
    return "".join([chunk.text async for chunk in chat.stream("Weather?")])


async def stream_early(db: Database, model: Model, chat_id: UUID) -> str:
    chat = await load_chat(db, searching(model), chat_id, retries=0, deliver="early")
    return "".join([chunk.text async for chunk in chat.stream("Weather?")])


async def ask_with_own_events(db: Database, model: Model, chat_id: UUID) -> str:
    handling = [NativeTool(WebSearchTool()), ProcessEventStream(read_events)]
    agent = Agent(model, name="s", capabilities=handling)
    return (await (await load_chat(db, agent, chat_id, retries=0)).ask("Weather?")).text


async def run_persisted(db: Database, model: Model, chat_id: UUID) -> str:
    recording = Persisted(db, chat_id=chat_id, retries=0)
    history = await message_history(db, chat_id)
    await searching(model).run("Weather?", message_history=history, capabilities=[recording])
    chat = await load_chat(db, searching(model), chat_id)
    return (await last_answer(chat)).text


every_door = pytest.mark.parametrize(
    "door", [ask, stream, stream_early, ask_with_own_events, run_persisted]
)


@every_door
async def test_a_paused_and_continued_answer_is_one_message(
    db: Database, llm: Model, server: ProviderServer, door: Ask
) -> None:
    server.script(PAUSED, CONTINUED, says("You are welcome."))
    chat = await create_chat(db, searching(llm))

    text = await door(db, llm, chat.id)
    await (await load_chat(db, searching(llm), chat.id)).ask("Thanks")

    answer, _ = await answers(chat)
    assert (answer.status, answer.finish_reason) == ("complete", "stop")
    assert (answer.text, text_parts(answer.content)) == (text, ["I look.", "Sunny."])
    assert text.startswith("I look.")
    assert text.endswith("Sunny.")
    requests = (await chat.requests())[:2]
    assert [request.message_id for request in requests] == [answer.id] * 2
    assert [request.status for request in requests] == ["complete"] * 2
    assert [request.tokens.input for request in requests] == [100, 150]
    assert (answer.tokens.input, answer.tokens.output) == (250, 30)
    assert repeated(server) == ["I look.", "Sunny."]
    assert [message.role for message in await chat.messages()] == ["user", "assistant"] * 2


def text_parts(content: object) -> list[str]:
    parts = content["parts"]  # type: ignore[index]
    return [part["content"] for part in parts if part["part_kind"] == "text"]


def repeated(server: ProviderServer) -> list[str]:
    return [said.text for said in server.received[-1].said() if said.who == "assistant"]


async def test_an_answer_that_is_paused_again_and_again_is_one_message(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(PAUSED, PAUSED_AGAIN, LAST, says("Bye."))
    chat = await create_chat(db, searching(llm))
    reply = await chat.ask("Weather?")
    assert (await chat.ask("Thanks")).text == "Bye."
    assert (await answers(chat))[0].text == reply.text
    assert repeated(server) == ["I look.", "More.", "Sunny."]
    assert len(await chat.requests()) == 4


async def test_tools_called_after_a_pause_run_once(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    ran: list[str] = []

    def book(city: str) -> str:
        ran.append(city)
        return "booked"

    calling = replace(CONTINUED, calls=(Call("toolu_1", "book", {"city": "Rome"}),))
    server.script(PAUSED, calling, says("Booked."), says("Bye."))
    chat = await create_chat(db, searching(llm, tools=[book]))
    assert (await chat.ask("Book it")).text == "Booked."
    await chat.ask("Thanks")
    assert ran == ["Rome"]
    (call,) = await chat.tool_calls()
    assert call.message_id == (await answers(chat))[0].id


BREAKS: dict[str, tuple[Scripted, ...]] = {
    "before a response": (PAUSED, Answer(ends="hung_up")),
    "by an error": (PAUSED, server_error()),
    "before anything": (PAUSED, Answer(ends="dropped")),
    "in the results": (PAUSED, Answer(found=("srvtoolu_1",), ends="dropped")),
    "in its text": (PAUSED, replace(CONTINUED, ends="dropped")),
    "truncated": (PAUSED, replace(CONTINUED, ends="truncated")),
    "in a second one": (PAUSED, PAUSED_AGAIN, replace(LAST, ends="dropped")),
    "by an error of a second one": (PAUSED, PAUSED_AGAIN, server_error()),
}


@every_door
@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS)
async def test_wherever_a_continuation_breaks_the_chat_goes_on(
    db: Database, llm: Model, server: ProviderServer, door: Ask, script: tuple[Scripted, ...]
) -> None:
    server.script(*script, says("Well."), says("Bye."))
    chat = await create_chat(db, searching(llm))
    with pytest.raises(Exception, match=r"."):
        await door(db, llm, chat.id)

    answer = await last_answer(chat)
    assert answer.status in ("failed", "interrupted")
    assert answer.text.startswith("I look.")
    requests = await chat.requests()
    assert {request.message_id for request in requests} == {answer.id}
    assert len(requests) == len(script)
    assert await door(db, llm, chat.id) == "Well."
    assert await door(db, llm, chat.id) == "Bye."
    assert "I look." in "".join(repeated(server))


@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS)
async def test_a_resume_asks_anew_and_keeps_what_was_paused(
    db: Database, llm: Model, server: ProviderServer, script: tuple[Scripted, ...]
) -> None:
    server.script(*script, PAUSED, CONTINUED, says("Bye."))
    chat = await create_chat(db, searching(llm), retries=0)
    with pytest.raises(RunError):
        await chat.ask("Weather?")
    reply = await chat.resume()
    assert [message.status for message in await answers(chat)] == ["superseded", "complete"]
    assert reply.text.endswith("Sunny.")
    await chat.ask("Thanks")
    assert repeated(server) == ["I look.", "Sunny."]


@pytest.mark.parametrize("budgets", [(), (Budget(tokens=1_000_000, per="day"),)], ids=len)
async def test_a_continuation_that_failed_is_tried_again(
    db: Database, llm: Model, server: ProviderServer, budgets: tuple[Budget, ...]
) -> None:
    server.script(PAUSED, server_error(0), CONTINUED, says("Bye."))
    chat = await create_chat(db, searching(llm), retries=1, budgets=budgets)
    read = "".join([chunk.text async for chunk in chat.stream("Weather?")])
    (answer,) = await answers(chat)
    assert (answer.text, answer.status) == (read, "complete")
    statuses = [(request.status, request.message_id) for request in await chat.requests()]
    assert statuses == [(status, answer.id) for status in ("complete", "failed", "complete")]
    await chat.ask("Thanks")
    assert repeated(server) == ["I look.", "Sunny."]


async def test_a_pause_in_front_of_a_fallback_is_left_behind(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    """The other model answers anew, as it cannot continue what it has not begun."""
    server.script(PAUSED, server_error(), says("Cloudy."), says("Bye."))
    both = FallbackModel(connect(ANTHROPIC), connect(OPENAI_RESPONSES))
    chat = await create_chat(db, searching(both), retries=0)
    assert (await chat.ask("Weather?")).text == "Cloudy."
    told = [(message.text, message.status) for message in await answers(chat)]
    assert told == [("I look.", "superseded"), ("Cloudy.", "complete")]
    await chat.ask("Thanks")
    assert repeated(server) == ["Cloudy."]


async def test_a_stop_during_the_continuation_keeps_all_that_was_said(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(PAUSED, replace(CONTINUED, ends="stalled"), says("Bye."))
    chat = await create_chat(db, searching(llm))
    asking = asyncio.create_task(chat.ask("Weather?"))
    await until(lambda: len(server.received) == 2 and server.received[1].pieces_sent == 2)
    await asyncio.sleep(0.1)
    await chat.stop()
    with pytest.raises(RunStopped):
        await asking
    answer = await last_answer(chat)
    assert answer.status == "interrupted"
    assert answer.text.startswith("I look.")
    assert answer.text.endswith("Sunny.")
    assert (await chat.ask("Thanks")).text == "Bye."


async def test_a_stop_before_the_continuation_says_anything_keeps_the_first_part(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(PAUSED, Answer(ends="silent"), says("Bye."))
    chat = await create_chat(db, searching(llm))
    asking = asyncio.create_task(chat.ask("Weather?"))
    await until(lambda: len(server.received) == 2)
    await chat.stop()
    with pytest.raises(RunStopped):
        await asking
    answer = await last_answer(chat)
    assert (answer.status, answer.text) == ("interrupted", "I look.")
    assert [request.status for request in await chat.requests()] == ["complete", "interrupted"]
    assert (await chat.ask("Thanks")).text == "Bye."


@pytest.mark.parametrize(
    ("continuation", "text"),
    [
        (Answer(ends="silent"), "I look."),
        (replace(CONTINUED, ends="stalled"), "Sunny."),
    ],
    ids=["before it", "in it"],
)
async def test_a_process_killed_during_the_continuation_loses_nothing(
    *, server: ProviderServer, tmp_path: Path, llm: Model, continuation: Answer, text: str
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/chats.db"
    async with Database(url) as db:
        await db.create_tables()
        server.script(PAUSED, continuation, says("Bye."))
        chat = await create_chat(db, searching(llm))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "providers.paused_child", server.address, url, str(chat.id),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        read = ""
        with pytest.raises(RunInterrupted):
            async with asyncio.timeout(60):
                while await chat.active_run() is None:  # noqa: ASYNC110 - nobody announces it
                    await asyncio.sleep(0.05)
                async for chunk in chat.follow():
                    read += chunk.text
                    is_there = read.endswith(text) and len(server.received) == 2
                    if is_there and child.returncode is None:
                        child.kill()
                        await child.wait()
                        end_leases(tmp_path / "chats.db")

        answer = await last_answer(chat)
        assert (answer.status, answer.text) == ("interrupted", read)
        assert answer.text.startswith("I look.")
        assert [request.status for request in await chat.requests()] == ["complete", "interrupted"]
        assert (await chat.ask("Thanks")).text == "Bye."


BACKGROUND = {"openai_background": True}
HALF = says("Sun", paused=True, spent=None)
REST = says("ny", ".", goes_on=True, spent=Spent(100, 20, 0, 0))


@pytest.mark.parametrize("handling", [(), (ProcessEventStream,)], ids=["ask", "own events"])
async def test_a_stream_of_a_background_job_that_ends_early_is_one_message(
    db: Database, connect: ConnectModel, server: ProviderServer, handling: tuple[type, ...]
) -> None:
    server.script(HALF, REST, says("Bye."))
    agent = Agent(connect(OPENAI_RESPONSES), capabilities=[each(read_events) for each in handling])
    chat = await create_chat(db, agent, settings=BACKGROUND)
    chunks = [chunk.text async for chunk in chat.stream("Weather?")]
    again = await load_chat(db, agent, chat.id)
    await again.ask("Thanks")
    answer, _ = await answers(chat)
    assert (answer.text, "".join(chunks)) == ("Sunny.", "Sunny.")
    assert text_parts(answer.content) == ["Sunny."]
    assert repeated(server) == ["Sunny."]
    assert [request.message_id for request in await chat.requests()][:2] == [answer.id] * 2
    assert answer.tokens.input == 100


async def test_a_background_job_that_is_asked_for_until_it_is_done_is_one_message(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    queued = Answer(paused=True, spent=None)
    server.script(queued, says("Sunny."), says("Bye."))
    llm = connect(OPENAI_RESPONSES)
    chat = await create_chat(db, llm, settings=BACKGROUND, streaming=False)
    assert (await chat.ask("Weather?")).text == "Sunny."
    await (await load_chat(db, llm, chat.id)).ask("Thanks")
    answer, _ = await answers(chat)
    assert [request.message_id for request in await chat.requests()][:2] == [answer.id] * 2
    assert repeated(server) == ["Sunny."]


@pytest.mark.parametrize("ends", ["hung_up", "dropped"])
async def test_a_background_job_that_is_lost_leaves_a_chat_that_goes_on(
    db: Database, connect: ConnectModel, server: ProviderServer, ends: Ending
) -> None:
    server.script(HALF, replace(REST, ends=ends), says("Bye."), says("Ciao."))
    llm = connect(OPENAI_RESPONSES)
    chat = await create_chat(db, llm, settings=BACKGROUND, retries=0)
    with pytest.raises(RunError):
        await chat.ask("Weather?")
    assert (await last_answer(chat)).text == {"hung_up": "Sun", "dropped": "Sunny."}[ends]
    assert (await chat.ask("Thanks")).text == "Bye."
    assert (await chat.ask("Thanks")).text == "Ciao."


async def read_events(_context: object, events: AsyncIterable[object]) -> None:
    async for _ in events:
        pass


def end_leases(file: Path) -> None:
    """As if the process had been dead for long."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE llm_runs SET lease_until = started_at")
