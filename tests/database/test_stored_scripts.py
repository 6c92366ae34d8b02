"""`Script.from_chat` replays what is stored of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import ModelRetry, Tool
from pydantic_ai.exceptions import ModelHTTPError

from chatrecord.chats.chat import Chat
from chatrecord.errors import (
    ChatRecordError,
    ProviderError,
    RateLimited,
    RunInterrupted,
    RunStopped,
    StreamTruncated,
    ToolFailed,
)
from chatrecord.hooks import Hook, ToolUse
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, fail, hang, say, think


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with Database("sqlite://") as db:
        await db.create_tables()
        yield db


async def said(chat: Chat) -> list[object]:
    """What a chat holds, without ids of rows and times."""
    messages, calls = await chat.messages(100), await chat.tool_calls()
    return [
        *[
            (it.role, it.status, it.text, it.reasoning)
            for it in messages
            if it.status != "superseded"
        ],
        *[(it.call_id, it.name, it.arguments, it.status, it.result, it.error) for it in calls],
    ]


async def replayed(db: Database, chat: Chat, **options: Any) -> Chat:
    """A new chat with the same questions and the answers of the stored one."""
    stored = await load_chat(db, "test", chat.id)
    script = await Script.from_chat(stored)
    again = await create_chat(db, script, tools=script.tools, **options)
    for question in script.questions:
        try:
            await again.ask(question)
        except ChatRecordError:
            continue
    return again


async def test_text_reasoning_and_parallel_calls_with_their_results(db: Database) -> None:
    async def weather(city: str) -> dict[str, object]:
        return {"city": city, "degrees": 21.5, "raw": b"\x00\xff"}

    async def hour(city: str, zone: str = "utc") -> str:
        return f"{city} {zone}"

    llm = Script(
        [
            think("Two ", "things.", signature="signed"),
            call("weather", "c1", city="Oslo"),
            call("weather", "c2", city="Rome"),
            call("hour", "c3", city="Oslo"),
        ],
        [say("Sun."), call("weather", "c1", city="Oslo")],
        [say("Still sun.")],
        [say("Bye.")],
    )
    chat = await create_chat(db, llm, tools=[weather, hour])
    await chat.ask("Weather?")
    await chat.ask("Bye")
    again = await replayed(db, chat)
    assert await said(again) == await said(chat)
    first, second = [await it.messages(1, before=3) for it in (chat, again)]
    assert first[0].content["parts"][0]["signature"] == "signed"
    assert second[0].content["parts"][0]["signature"] == "signed"


async def test_tools_that_failed_and_asked_for_another_try(db: Database) -> None:
    tries = iter([ModelRetry("Say it in meters"), OSError("no disk")])

    def measure(unit: str) -> str:
        raise next(tries)

    llm = Script([call("measure", "c1", unit="feet")], [call("measure", "c2", unit="m")])
    chat = await create_chat(db, llm, tools=[measure])
    with pytest.raises(ToolFailed):
        await chat.ask("How long?")
    again = await replayed(db, chat)
    assert await said(again) == await said(chat)
    assert [it.error for it in await again.tool_calls()] == ["Say it in meters", "OSError: no disk"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelHTTPError(429, "script", {"error": {"message": "slow down"}}), RateLimited),
        (ModelHTTPError(400, "script", {"error": {"message": "what?"}}), ProviderError),
        (ConnectionError("reset"), ProviderError),
        (StreamTruncated("cut"), StreamTruncated),
    ],
)
@pytest.mark.parametrize("text", ["Half an ", ""])
async def test_failures_are_raised_again(
    db: Database, error: Exception, kind: type[ChatRecordError], text: str
) -> None:
    begun = [say(text)] if text else []
    chat = await create_chat(db, Script([*begun, fail(error)], [say("Here.")]), retries=0)
    with pytest.raises(ChatRecordError) as first:
        await chat.ask("Are you there?")
    await chat.ask("Now?")
    script = await Script.from_chat(await load_chat(db, "test", chat.id))
    again = await create_chat(db, script, retries=1 if text == "" and kind is ProviderError else 0)
    with pytest.raises(kind) as second:
        await again.ask("Are you there?")
    assert type(second.value) is type(first.value)
    assert (await again.ask("Now?")).text == "Here."
    assert await said(again) == await said(chat)


async def test_a_stopped_answer_is_interrupted_again(db: Database) -> None:
    chat = await create_chat(db, Script([say("Once "), hang()]))
    async with chat.stream("A story") as stream:
        with pytest.raises(RunStopped):
            async for _ in stream:
                await chat.stop()
    script = await Script.from_chat(await load_chat(db, "test", chat.id))
    again = await create_chat(db, script)
    with pytest.raises(RunInterrupted):
        await again.ask("A story")
    assert [it[:3] for it in (await said(again))] == [it[:3] for it in (await said(chat))]  # type: ignore[index]


async def test_replaced_answers_are_left_out(db: Database) -> None:
    llm = Script([say("One.")], [say("Two.")], [say("Three.")], [say("Four.")])
    chat = await create_chat(db, llm)
    await chat.ask("Count")
    await chat.regenerate()
    last = await chat.ask("On")
    (question,) = [it for it in await chat.messages() if it.text == "On"]
    await chat.edit(question.id, "On, please")
    script = await Script.from_chat(chat)
    assert script.questions == ["Count", "On, please"]
    again = await create_chat(db, script)
    texts = [(await again.ask(each)).text for each in script.questions]
    assert texts == ["Two.", "Four."]
    assert last.text == "Three."


async def test_typed_answers(db: Database) -> None:
    llm = Script([call("final_result", name="Rome", people=3)])
    chat = await create_chat(db, llm)
    await chat.ask("Which city?", output_type=City)
    script = await Script.from_chat(chat)
    reply = await (await create_chat(db, script)).ask("Which city?", output_type=City)
    assert reply.output == City(name="Rome", people=3)
    assert script.tools == []


async def test_calls_that_wait_for_approval(db: Database) -> None:
    paid: list[int] = []

    def pay(amount: int) -> str:
        paid.append(amount)
        return f"paid {amount}"

    llm = Script([call("pay", "c1", amount=1), call("pay", "c2", amount=2)], [say("One was paid.")])
    chat = await create_chat(db, llm, tools=[Tool(pay, requires_approval=True)])
    await chat.ask("Pay both")
    await chat.approve("c1")
    await chat.deny("c2", reason="Too much")
    await chat.resume()
    script = await Script.from_chat(chat)
    again = await create_chat(db, script, tools=script.tools)
    waiting = await again.ask("Pay both")
    assert [it.call_id for it in waiting.awaiting_approval] == ["c1", "c2"]
    await again.approve("c1")
    await again.deny("c2", reason="Too much")
    assert (await again.resume()).text == "One was paid."
    assert await said(again) == await said(chat)
    assert paid == [1]


async def test_another_question_is_named(db: Database) -> None:
    chat = await create_chat(db, Script([say("Hi.")], [say("Bye.")]))
    await chat.ask("Hello")
    await chat.ask("Goodbye")
    script = await Script.from_chat(chat)
    again = await create_chat(db, script, retries=0)
    await again.ask("Hello")
    with pytest.raises(ChatRecordError, match=r"follows the question 'Goodbye'.*'See you'"):
        await again.ask("See you")
    lenient = await create_chat(db, await Script.from_chat(chat, strict=False))
    assert (await lenient.ask("Anything")).text == "Hi."


async def test_other_arguments_are_named(db: Database) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    chat = await create_chat(db, Script([call("add", "c1", a=1, b=2)], [say("3")]), tools=[add])
    await chat.ask("1 + 2?")
    script = await Script.from_chat(chat)
    other = Script([call("add", "c9", a=1, b=5)])
    again = await create_chat(db, other, tools=script.tools)
    with pytest.raises(ToolFailed, match=r"its arguments\.b is 5, and was 2"):
        await again.ask("1 + 5?")
    same = Script([call("add", "c9", b=2, a=1)], [call("add", "c9", b=2, a=1)])
    twice = await create_chat(db, same, tools=script.tools)
    with pytest.raises(ToolFailed, match="made already"):
        await twice.ask("1 + 2?")
    assert (await twice.tool_calls())[0].result == 3


async def test_arguments_that_a_hook_has_changed(db: Database) -> None:
    class Doubles(Hook):
        def before_tool(self, use: ToolUse) -> dict[str, Any]:
            return {"a": 2 * use.arguments["a"]}

    def square(a: int) -> int:
        return a * a

    llm = Script([call("square", "c1", a=3)], [say("36")])
    chat = await create_chat(db, llm, tools=[square], hooks=[Doubles()])
    await chat.ask("Square?")
    for hooks in ([], [Doubles()]):
        script = await Script.from_chat(chat)
        again = await create_chat(db, script, tools=script.tools, hooks=hooks)
        await again.ask("Square?")
        assert [it.result for it in await again.tool_calls()] == [36]


async def test_a_limit_of_messages(db: Database) -> None:
    chat = await create_chat(db, Script([say("1")], [say("2")]))
    await chat.ask("a")
    await chat.ask("b")
    with pytest.raises(ValueError, match="more than 3 messages"):
        await Script.from_chat(chat, limit=3)
    assert len((await Script.from_chat(chat, limit=4)).questions) == 2
