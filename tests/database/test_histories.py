"""A history that another library has kept goes on here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelRequest
from sqlalchemy import func, select

from chatrecord import Chat
from chatrecord.errors import ImportInvalid
from chatrecord.sqlalchemy import Database, import_history, load_chat
from chatrecord.sqlalchemy.tables import Chat as ChatRow
from chatrecord.testing import Script, call, say, think
from chatrecord.testing.conformance.shared import AWKWARD
from chatrecord.testing.look import answered_calls, spoken

PICTURE = "data:image/png;base64,iVBORw0KGgo="
LANGCHAIN: list[Any] = json.loads(
    (Path(__file__).parents[1] / "unit" / "histories" / "langchain.json").read_text("utf-8")
)
OPENAI: list[Any] = [
    {"role": "developer", "content": [{"type": "text", "text": "Be exact."}]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_data": PICTURE, "filename": "a.png"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}},
            {"id": "c2", "type": "function", "function": {"name": "pay", "arguments": "{broken"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "a dog"},
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "paid"}]},
    {"role": "assistant", "content": AWKWARD},
    {"role": "user", "content": "Again?"},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
]


async def taken_over(db: Database, messages: object, name: Any, *answers: Any) -> Chat:
    record = await import_history(db, messages, format=name, user_id="ann", title="Old")
    return await load_chat(db, Script(*answers), record.id, user_id="ann")


async def test_openai_messages_become_rows_and_go_on(backend: Database) -> None:
    chat = await taken_over(backend, OPENAI, "openai")

    messages = await chat.messages()
    assert [message.role for message in messages] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert [message.text for message in messages][3:] == [AWKWARD, "Again?", "No."]
    assert messages[1].reasoning == "hm"
    look, pay = await chat.tool_calls()
    assert (look.name, look.arguments, look.status, look.result) == (
        "look", {"at": 1}, "complete", "a dog",
    )  # fmt: skip
    assert (pay.arguments, pay.result) == ("{broken", "paid")
    assert chat.record.instructions == "Be exact."
    assert (chat.title, chat.record.columns["user_id"]) == ("Old", "ann")

    script = Script([say("a dog, still")])
    again = await load_chat(backend, script, chat.id)
    assert (await again.ask("And now?")).text == "a dog, still"
    (*_, last) = script.requests[0]
    assert isinstance(last, ModelRequest)
    assert last.instructions == "Be exact."
    assert answered_calls(script.requests[0]) == ["c1", "c2"]
    assert [who for who, _ in spoken(script.requests[0])] == [
        "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip


async def test_langchain_messages_become_rows_and_go_on(backend: Database) -> None:
    chat = await taken_over(backend, LANGCHAIN, "langchain", [say("yes")])

    messages = await chat.messages()
    assert [message.role for message in messages] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    first = messages[1]
    assert (first.text, first.reasoning, first.model) == ("I look.", "hm", "claude-x")
    assert (first.tokens.input, first.tokens.output) == (10, 5)
    assert (first.tokens.cache_read, first.tokens.reasoning) == (3, 2)
    assert messages[-1].tokens.input is None
    look, pay = await chat.tool_calls()
    assert (look.arguments, look.status, look.result) == ({"at": "it"}, "complete", "a dog")
    assert (pay.status, pay.error, pay.result) == ("failed", "no money", None)
    assert (chat.record.instructions, chat.record.provider) == ("Be exact.", "anthropic")
    assert "sig==" in str(first.content)
    assert (await chat.ask("Sure?")).text == "yes"


async def test_pydantic_ai_messages_are_taken_as_they_are(backend: Database) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    script = Script([think("hm", signature="s=="), call("add", "c1", a=1, b=2)], [say("3")])
    agent = Agent(script, instructions="Add.", tools=[add])
    async with agent.run_stream_events("1 + 2?") as events:
        async for _ in events:
            pass
    held = script.requests[-1]
    json_bytes = ModelMessagesTypeAdapter.dump_json(held)

    chat = await taken_over(backend, json_bytes, "pydantic-ai", [say("again 3")])

    contents = [message.content for message in await chat.messages()]
    assert ModelMessagesTypeAdapter.validate_python(contents) == held
    (row,) = await chat.tool_calls()
    assert (row.call_id, row.status, row.result) == ("c1", "complete", 3)
    assert chat.record.instructions == "Add."
    assert (await chat.messages())[0].created_at < datetime.now(UTC)


async def test_a_call_without_a_result_is_answered_as_interrupted(db: Database) -> None:
    messages = [*OPENAI[:4], {"role": "user", "content": "Well?"}]

    chat = await taken_over(db, messages, "openai", [say("so")])

    assert [row.status for row in await chat.tool_calls()] == ["complete", "interrupted"]
    assert (await chat.ask("Say")).text == "so"


async def test_a_question_without_an_answer_can_be_resumed(db: Database) -> None:
    chat = await taken_over(db, OPENAI[:2], "openai", [say("It is a dog.")])

    assert [chunk.text async for chunk in chat.resume()] == ["It is a dog."]


async def test_an_imported_answer_can_be_regenerated(db: Database) -> None:
    chat = await taken_over(db, OPENAI, "openai", [say("Yes, again.")])

    assert [chunk.text async for chunk in chat.regenerate()] == ["Yes, again."]
    assert [message.status for message in await chat.messages()][-2:] == ["superseded", "complete"]


async def test_each_question_is_a_run(db: Database) -> None:
    chat = await taken_over(db, OPENAI, "openai")

    runs = [message.run_id for message in await chat.messages()]
    assert runs[0] == runs[3]
    assert runs[4] == runs[5] != runs[0]
    assert (await chat.usage()).requests == 0


WRONG: list[tuple[str, Any, str]] = [
    ("openai", 7, "list of messages"),
    ("openai", "[{", "no JSON"),
    ("openai", [7], "Message 1 has a int"),
    ("openai", [{"role": "user", "content": "a"}, {"role": "king"}], "Message 2 has the role"),
    ("openai", [{"content": "a"}], "Message 1 has no text under 'role'"),
    ("openai", [{"role": "user", "content": [{"type": "hologram"}]}], "Message 1 has a part"),
    ("openai", [{"role": "user", "content": 5}], "Message 1 has no list"),
    ("openai", [{"role": "tool", "tool_call_id": "c9", "content": "x"}], "Message 1 answers .*c9"),
    ("openai", [{"role": "assistant", "tool_calls": [{"id": "c"}]}], "Message 1 has a NoneType"),
    ("openai", [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}], "data"),
    ("langchain", OPENAI, "Message 1 has no text under 'type'"),
    ("langchain", [{"type": "alien", "data": {}}], "Message 1 has the type 'alien'"),
    ("langchain", [{"type": "ai", "data": {"tool_calls": [{"id": "c"}]}}], "without args"),
    ("pydantic-ai", OPENAI, "Message 1 is none of pydantic-ai's"),
    ("pydantic-ai", [{"kind": "response", "parts": [{"part_kind": "new"}]}], "Message 1 is none"),
    ("pydantic-ai", "[" * 100_000, "no JSON"),
]


@pytest.mark.parametrize(("name", "messages", "told"), WRONG, ids=range(len(WRONG)))
async def test_what_cannot_be_taken_over_is_refused_by_its_message(
    db: Database, name: Any, messages: Any, told: str
) -> None:
    with pytest.raises(ImportInvalid, match=told):
        await import_history(db, messages, format=name)

    async with db.engine.connect() as connection:
        count = await connection.scalar(select(func.count()).select_from(ChatRow.__table__))
    assert count == 0


async def test_the_format_of_a_history_is_one_of_three(db: Database) -> None:
    with pytest.raises(ValueError, match="'openai'"):
        await import_history(db, [], format="word")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="mood"):
        await import_history(db, [], format="openai", mood="good")  # type: ignore[call-overload]


async def test_an_empty_history_is_an_empty_chat(db: Database) -> None:
    chat = await taken_over(db, [], "openai", [say("Hi")])

    assert (await chat.ask("Hello")).text == "Hi"
