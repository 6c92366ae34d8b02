"""Rated and chosen runs as datasets that are saved, loaded and evaluated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai.messages import BinaryContent, ModelMessagesTypeAdapter

from chatrecord.chats.chat import Chat
from chatrecord.errors import RunNotFound
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    import_history,
    load_chat,
    sync,
)
from chatrecord.sqlalchemy.sync import wait
from chatrecord.testing import Script, call, fail, say

pytest.importorskip("pydantic_evals", reason="it comes with the extra evals")

from pydantic_evals.evaluators import EqualsExpected

from chatrecord.evals import Question, to_dataset
from chatrecord.evals.dataset import StoredCases
from chatrecord.evals.sync import to_dataset as to_dataset_sync

IMAGE = BinaryContent(b"\x89PNG\r\n\x1a\n\xff\x00", media_type="image/png")


class City(BaseModel):
    name: str


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with Database("sqlite://") as db:
        await db.create_tables()
        yield db


@pytest.fixture
async def each_db(own_url: str) -> AsyncIterator[Database]:
    async with Database(own_url) as db:
        yield db


def order_status(order_id: str) -> str:
    return f"{order_id} was shipped"


async def rated_chat(db: Database, user: str = "ann") -> tuple[Chat, list[Any]]:
    llm = Script(
        [say("Hello.")],
        [call("order_status", "c1", order_id="A-1")],
        [say("On its way.")],
        [say("No idea.")],
    )
    options: dict[str, Any] = {"instructions": "Be brief.", "tools": [order_status]}
    chat = await create_chat(db, llm, user_id=user, **options)
    replies = [await chat.ask("Hi"), await chat.ask(["Order A-1?", IMAGE]), await chat.ask("Why?")]
    await chat.give_feedback(replies[1].message_id, 1, comment="Right")
    await chat.give_feedback(replies[2].message_id, -1, comment="Useless")
    return chat, replies


async def test_rated_runs_are_cases(each_db: Database) -> None:
    chat, replies = await rated_chat(each_db)
    dataset = await to_dataset(each_db)
    bad, good = dataset.cases
    assert (good.inputs.question, good.expected_output) == ("Order A-1?", "On its way.")
    assert (bad.inputs.question, bad.expected_output) == ("Why?", None)
    assert good.inputs.instructions == "Be brief."
    assert [type(it).__name__ for it in good.inputs.history] == ["ModelRequest", "ModelResponse"]
    facts = good.metadata
    assert facts is not None
    assert (facts.chat_id, facts.run_id) == (chat.id, replies[1].run_id)
    assert facts.message_id == replies[1].message_id
    assert (facts.model, facts.value, facts.comments) == ("script", 1.0, ["Right"])
    (it,) = facts.tool_calls
    assert (it.name, it.arguments, it.result) == (
        "order_status",
        {"order_id": "A-1"},
        "A-1 was shipped",
    )
    assert facts.latency_ms is not None
    assert bad.metadata is not None
    assert bad.metadata.answer == "No idea."


async def test_a_dataset_is_saved_loaded_and_evaluated(db: Database, tmp_path: Path) -> None:
    await rated_chat(db)
    dataset = await to_dataset(db, name="orders")
    file = tmp_path / "orders.yaml"
    dataset.to_file(file)
    loaded = StoredCases.from_file(file)
    assert loaded.cases == dataset.cases

    script = Script([say("On its way.")], [say("On its way.")])

    async def answer(asked: Question) -> str:
        before = ModelMessagesTypeAdapter.dump_python(asked.history, mode="json")
        record = await import_history(
            db, before, format="pydantic-ai", instructions=asked.instructions
        )
        chat = await load_chat(db, script, record.id)
        return (await chat.ask(asked.question)).text

    loaded.add_evaluator(EqualsExpected())
    report = await loaded.evaluate(answer, progress=False, max_concurrency=1)
    assert report.failures == []
    scored = {
        it.inputs.question: [each.value for each in it.assertions.values()] for it in report.cases
    }
    assert scored == {"Order A-1?": [True], "Why?": []}
    assert sorted(len(sent) for sent in script.requests) == [3, 7]


async def test_what_is_chosen(each_db: Database) -> None:
    chat, replies = await rated_chat(each_db)
    await rated_chat(each_db, user="bob")
    assert len((await to_dataset(each_db)).cases) == 4
    assert len((await to_dataset(each_db, user_id="ann")).cases) == 2
    assert len((await to_dataset(each_db, limit=3)).cases) == 3
    positive = await to_dataset(each_db, rating="positive", user_id="ann")
    assert [it.inputs.question for it in positive.cases] == ["Order A-1?"]
    negative = await to_dataset(each_db, rating="negative", user_id="ann", history=0)
    assert [it.inputs.history for it in negative.cases] == [[]]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (await to_dataset(each_db, since=later)).cases == []
    assert len((await to_dataset(each_db, until=later)).cases) == 4
    chosen = await to_dataset(each_db, runs=[replies[0], str(replies[1].run_id)], user_id="ann")
    assert [it.expected_output for it in chosen.cases] == [None, "On its way."]
    runs = await chat.runs(limit=1)
    assert [it.inputs.question for it in (await to_dataset(each_db, runs=runs)).cases] == ["Why?"]


async def test_nothing_leaves_the_scope(db: Database) -> None:
    chat, replies = await rated_chat(db)
    with pytest.raises(RunNotFound):
        await to_dataset(db, runs=[replies[1]], user_id="bob")
    assert (await to_dataset(db, user_id="bob")).cases == []
    with pytest.raises(ValueError, match="leave rating="):
        await to_dataset(db, runs=[replies[1]], rating="positive")
    with pytest.raises(TypeError, match="unknown keyword"):
        await to_dataset(db, usr_id="ann")
    await delete_chat(db, chat.id, user_id="ann", soft=True)
    assert (await to_dataset(db)).cases == []
    with pytest.raises(RunNotFound):
        await to_dataset(db, runs=[replies[1]])


async def test_replaced_failed_and_typed_answers(db: Database) -> None:
    llm = Script(
        [say("Wrong.")],
        [say("Right.")],
        [say("Half "), fail(ConnectionError("reset"))],
        [call("final_result", "f1", name="Rome")],
    )
    chat = await create_chat(db, llm, retries=0)
    first = await chat.ask("Which?")
    await chat.give_feedback(first.message_id, -1)
    again = await chat.regenerate()
    await chat.give_feedback(again.message_id, 1)
    with pytest.raises(Exception, match="reset"):
        await chat.ask("More")
    broken = (await chat.messages())[-1]
    await chat.give_feedback(broken.id, 1)
    typed = await chat.ask("City?", output_type=City)
    await chat.give_feedback(typed.message_id, 1)
    cases = (await to_dataset(db)).cases
    found = {str(it.metadata.answer): it for it in cases if it.metadata}
    assert found["Wrong."].expected_output is None
    assert found["Right."].expected_output == "Right."
    assert found["Right."].inputs.question == found["Wrong."].inputs.question == "Which?"
    assert found["Right."].inputs.history == []
    assert found["Half "].expected_output is None
    (city,) = (await to_dataset(db, runs=[typed])).cases
    assert city.expected_output == {"name": "Rome"}


def test_the_synchronous_one(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    wait(db.create_tables())
    chat = sync.create_chat(db, Script([say("Hi.")]))
    chat.give_feedback(chat.ask("Hello").message_id, 1)
    assert [it.expected_output for it in to_dataset_sync(db).cases] == ["Hi."]
    wait(db.close())
