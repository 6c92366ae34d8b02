"""A process keeps the messages of long chats in memory, and never sends one that has changed."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import delete, event, update

from chatrecord import Window
from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.pydantic_ai.messages import history_of
from chatrecord.records import Message
from chatrecord.sqlalchemy import (
    Database,
    Keys,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    load_chat,
    rotate,
)
from chatrecord.sqlalchemy.store import history_cache
from chatrecord.sqlalchemy.store.history_cache import LONG, HistoryCache
from chatrecord.sqlalchemy.tables import Message as Row
from chatrecord.store.changes import Changes
from chatrecord.store.stored_message import READ_FIELDS, Known, StoredMessage
from chatrecord.testing import Script, fail, hang, say
from chatrecord.testing.conformance.attachments import FilesAreKept
from chatrecord.testing.conformance.compaction import ChatsAreCompacted
from chatrecord.testing.conformance.replacing import AnswersAreReplaced
from chatrecord.testing.conformance.replay import HistoryIsReplayed
from chatrecord.testing.conformance.resuming import RunsAreResumed
from chatrecord.testing.look import die, dumped, has_journal, spoken, until

LENGTH = LONG + 8
"""Messages of the chats here; a chat that is not long is read as ever."""


async def long_chat(db: Database, llm: object, **options: Any) -> Chat:
    """A chat of `LENGTH` messages that this `Database` has in memory."""
    chat = await create_chat(db, Script([say("a0")]))
    await chat.ask("q0")
    pair = await chat.messages()
    changes = Changes(chat.id)
    for seq in range(3, LENGTH + 1):
        like = pair[(seq - 1) % 2]
        changes.add(replace(like, id=new_id(), seq=seq, run_id=None))
    changes.next_seq = LENGTH + 1
    await db.store.write(changes)
    chat = await load_chat(db, llm, chat.id, **options)
    for number in (1, 2):
        await chat.ask(f"warm {number}")
    return chat


def scripted(*answers: str) -> Script:
    return Script(*([say(answer)] for answer in ("w1", "w2", *answers)))


async def read_anew(db: Database, chat: Chat, *, before: int) -> list[Message]:
    """The history as a process reads it that has nothing in memory."""
    async with Database(db.engine, history_cache=0) as fresh:
        return await fresh.store.history(chat.id, Window(), before=before)


@pytest.fixture
def statements(backend: Database) -> list[str]:
    """The SELECTs that reach the driver. A listener: the direct way is left out."""
    seen: list[str] = []

    @event.listens_for(backend.engine.sync_engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, sql: str, *_more: Any) -> None:
        seen.append(sql)

    return seen


async def test_messages_that_are_known_are_not_read_again(backend: Database) -> None:
    chat = await long_chat(backend, scripted("a"))
    before = {it.id: it for it in await backend.store.history(chat.id, Window(), before=9999)}

    after = await backend.store.history(chat.id, Window(), before=9999)

    assert len(after) == LENGTH + 4
    assert sum(before[message.id] is message for message in after) == len(after)


async def test_a_short_chat_is_read_by_one_statement(
    backend: Database, statements: list[str]
) -> None:
    chat = await create_chat(backend, Script(*([say("a")] for _ in range(4))))
    for number in range(3):
        await chat.ask(f"q{number}")
    statements.clear()

    await chat.ask("q3")

    table = Row.__tablename__
    assert sum(sql.startswith("SELECT") and f"FROM {table}" in sql for sql in statements) == 1
    assert backend.store.histories.size == 0


def _edited(text: str) -> Any:
    moment = "2026-11-30T00:00:00Z"
    part = {"content": text, "timestamp": moment, "part_kind": "user-prompt"}
    return {"parts": [part], "kind": "request"}


async def edit_elsewhere(elsewhere: Database, chat: Chat) -> None:
    other = await load_chat(elsewhere, Script([say("edited answer")]), chat.id)
    question = [it for it in await other.messages(limit=99) if it.role == "user"][-3]
    await other.edit(question.id, "an edited question")


async def regenerate_elsewhere(elsewhere: Database, chat: Chat) -> None:
    await (await load_chat(elsewhere, Script([say("another answer")]), chat.id)).regenerate()


async def ask_elsewhere(elsewhere: Database, chat: Chat) -> None:
    await (await load_chat(elsewhere, Script([say("their answer")]), chat.id)).ask("their question")


async def die_elsewhere(elsewhere: Database, chat: Chat) -> None:
    other = await load_chat(elsewhere, Script([say("cut off"), hang()]), chat.id)
    stream = other.stream("a question that is never answered")
    await anext(aiter(stream))
    await until(lambda: has_journal(elsewhere, other))
    await die(elsewhere, other)


async def fail_elsewhere(elsewhere: Database, chat: Chat) -> None:
    broken = Script([say("half an ans"), fail(RuntimeError("cut"))])
    other = await load_chat(elsewhere, broken, chat.id, retries=0)
    with pytest.raises(Exception, match="cut"):
        await other.ask("a question that is half answered")


async def change_text_by_sql(elsewhere: Database, chat: Chat) -> None:
    """Of the same length, with every other column as it was."""
    async with elsewhere.engine.begin() as connection:
        of = (Row.chat_id == chat.id, Row.seq == 5)
        await connection.execute(update(Row).where(*of).values(content=_edited("Q0")))


async def change_a_column_of_text_by_sql(elsewhere: Database, chat: Chat) -> None:
    async with elsewhere.engine.begin() as connection:
        of = (Row.chat_id == chat.id, Row.seq == 5)
        await connection.execute(update(Row).where(*of).values(text="Q0"))


async def supersede_by_sql(elsewhere: Database, chat: Chat) -> None:
    async with elsewhere.engine.begin() as connection:
        of = (Row.chat_id == chat.id, Row.seq.in_([7, 8]))
        await connection.execute(update(Row).where(*of).values(status="superseded"))


async def delete_by_sql(elsewhere: Database, chat: Chat) -> None:
    async with elsewhere.engine.begin() as connection:
        await connection.execute(delete(Row).where(Row.chat_id == chat.id, Row.seq.in_([3, 4])))


async def swap_by_sql(elsewhere: Database, chat: Chat) -> None:
    """Two messages change places: every row is still somewhere as it was."""
    async with elsewhere.engine.begin() as connection:
        of_chat = Row.chat_id == chat.id
        for old, new in ((3, 90_003), (5, 3), (90_003, 5)):
            moved = update(Row).where(of_chat, Row.seq == old).values(seq=new)
            await connection.execute(moved)


async def repair_elsewhere(elsewhere: Database, chat: Chat) -> None:
    """A message that was left open, as by a crash of an old version, is ended by the doctor."""
    async with elsewhere.engine.begin() as connection:
        of = (Row.chat_id == chat.id, Row.seq == 6)
        await connection.execute(update(Row).where(*of).values(status="streaming"))
    assert await elsewhere.doctor(repair=True)


async def move_there_and_back(elsewhere: Database, chat: Chat) -> None:
    """The chat is imported again under its own id, and said something else before."""
    lines = [line async for line in export_chat(elsewhere, chat.id)]
    await delete_chat(elsewhere, chat.id)
    await import_chat(elsewhere, [line.replace("q0", "Q0") for line in lines])


CHANGES: list[Callable[[Database, Chat], Awaitable[None]]] = [
    edit_elsewhere,
    regenerate_elsewhere,
    ask_elsewhere,
    die_elsewhere,
    fail_elsewhere,
    change_text_by_sql,
    change_a_column_of_text_by_sql,
    supersede_by_sql,
    delete_by_sql,
    swap_by_sql,
    repair_elsewhere,
    move_there_and_back,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda it: it.__name__)
async def test_a_change_by_another_process_is_seen_at_once(
    backend: Database, elsewhere: Database, change: Callable[[Database, Chat], Awaitable[None]]
) -> None:
    script = scripted("first", "second")
    chat = await long_chat(backend, script)

    await change(elsewhere, chat)
    for _ in range(2):  # what is read anew is kept anew
        await chat.ask("and now?")
        question = (await chat.messages())[-2]
        sent = script.requests[-1]
        anew = await read_anew(backend, chat, before=question.seq)

        assert await backend.store.history(chat.id, Window(), before=question.seq) == anew
        assert dumped(sent[:-1]) == dumped(history_of(Window().cut(anew), is_going_on=False))


async def test_content_that_was_changed_by_sql_is_sent(
    backend: Database, elsewhere: Database
) -> None:
    script = scripted("a")
    chat = await long_chat(backend, script)

    await change_text_by_sql(elsewhere, chat)
    await chat.ask("and now?")

    said = spoken(script.requests[-1])
    assert (said[2], said[4]) == (("user", "q0"), ("user", "Q0"))


async def test_what_was_rolled_back_was_never_there(backend: Database, elsewhere: Database) -> None:
    script = scripted("a", "b")
    chat = await long_chat(backend, script)
    if elsewhere.engine.dialect.name == "sqlite":
        pytest.skip("a transaction that is open locks the file")

    async with elsewhere.engine.connect() as connection:
        of = (Row.chat_id == chat.id, Row.seq == 5)
        await connection.execute(update(Row).where(*of).values(content=_edited("Q0")))
        await chat.ask("meanwhile")
        await connection.rollback()
    await chat.ask("and now?")

    assert all(("user", "Q0") not in spoken(sent) for sent in script.requests)
    assert spoken(script.requests[-1])[4] == ("user", "q0")


async def test_a_rotation_of_keys_changes_nothing_that_is_sent(own_url: str) -> None:
    old, new = Keys.new(), Keys.new()
    async with (
        Database(own_url, encryption=Keys(new, old)) as db,
        Database(own_url, encryption=Keys(new, old)) as elsewhere,
        Database(own_url, encryption=Keys(old)) as before,
    ):
        script = scripted("a", "b")
        first = await long_chat(before, scripted())
        chat = await load_chat(db, script, first.id)
        for number in (1, 2):
            await chat.ask(f"warm {number}")
        while await rotate(elsewhere):
            pass

        await chat.ask("and now?")
        await chat.ask("and again?")

        said = [content for _, content in spoken(script.requests[-1])]
        assert said[0] == "q0"
        assert said[-3:] == ["and now?", "a", "and again?"]
        assert len(said) == LENGTH + 4 + 4 + 3


class Vandal:
    """A model that changes whatever it is sent, as a careless hook might."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(stream_function=self._answer)

    async def _answer(self, messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        self.seen.append(dumped(messages[: LENGTH - 2]))
        for message in messages:
            ruin(message)
        del messages[1:3]
        yield "mine"


def ruin(message: ModelMessage) -> None:
    for part in message.parts:
        if isinstance(part, UserPromptPart | TextPart):
            part.content = "ruined"
    message.metadata = {"ruined": True}
    if isinstance(message, ModelResponse):
        message.usage.details["ruined"] = 1
    if isinstance(message.parts, list):
        message.parts.append(
            TextPart("ruined") if message.kind == "response" else UserPromptPart("r")
        )


async def test_nobody_changes_what_the_next_turn_gets(backend: Database) -> None:
    vandal = Vandal()
    chat = await long_chat(backend, vandal.model)

    for _ in range(3):
        await chat.ask("and now?")

    first, *others = vandal.seen
    assert all(seen == first for seen in others)


async def test_an_estimator_that_changes_contents_changes_its_own(backend: Database) -> None:
    def estimate(message: Message) -> int:
        if isinstance(message.content, dict):
            message.content.clear()
        return 1

    script = scripted("a", "b")
    chat = await long_chat(backend, script, window=Window(estimator=estimate))

    await chat.ask("and now?")
    await chat.ask("and again?")

    assert spoken(script.requests[-1])[0] == ("user", "q0")


async def test_the_memory_is_bounded(db: Database) -> None:
    one = await long_chat(db, scripted())
    size = db.store.histories.size
    assert size > 0
    async with Database(db.engine, history_cache=size * 3) as bounded:
        chats = [one, *[await long_chat(db, scripted()) for _ in range(5)]]
        for chat in chats:
            for _ in range(2):
                await bounded.store.history(chat.id, Window(), before=9999)
            assert bounded.store.histories.size <= size * 3

        assert bounded.store.histories.is_long(chats[-1].id)
        assert not bounded.store.histories.is_long(chats[0].id)


async def test_what_is_counted_is_no_less_than_what_it_takes(tmp_path: Path) -> None:
    chats = 6
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}") as db:
        await db.create_tables()
        made = [await long_chat(db, scripted("a", "b")) for _ in range(chats)]
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}") as db:
        await db.store.history(made[0].id, Window(), before=9999)
        tracemalloc.start()
        for chat in made:
            again = await load_chat(db, Script(*([say("x")] for _ in range(3))), chat.id)
            for _ in range(3):
                await again.ask("and now?")
        del again
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert db.store.histories.size > chats * LENGTH * 1000
        assert taken < db.store.histories.size * 1.5


@pytest.mark.parametrize("result", [[{}] * 50_000, [[1, 2], [3]] * 20_000, [0.5] * 50_000])
def test_a_result_of_many_values_is_counted_for_what_it_takes(result: Any) -> None:
    def content() -> str:
        return json.dumps(
            {"kind": "request", "parts": [
                {"part_kind": "tool-return", "tool_name": "t", "content": result}
            ]}
        )  # fmt: skip

    cache, message = HistoryCache(2**30), StoredMessage.read(_values(), content(), Known())
    tracemalloc.start()
    history_of([message], is_going_on=True)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    cache.keep(new_id(), [(1, message)], window=1)

    assert taken < cache.size


def _values() -> list[object]:
    known: dict[str, object] = {"role": "tool", "status": "complete", "text": "", "seq": 1}
    return [known.get(name) for name in READ_FIELDS]


async def test_a_chat_that_is_deleted_leaves_memory(backend: Database) -> None:
    chat = await long_chat(backend, scripted())
    assert backend.store.histories.is_long(chat.id)
    size = backend.store.histories.size

    await delete_chat(backend, chat.id)

    assert not backend.store.histories.is_long(chat.id)
    assert backend.store.histories.size < size


async def test_without_a_cache_nothing_is_kept(any_url: str) -> None:
    async with Database(any_url, history_cache=0) as db:
        script = scripted("a")
        chat = await long_chat(db, script)

        await chat.ask("and now?")

        assert db.store.histories.size == 0
        assert len(spoken(script.requests[-1])) == LENGTH + 5


async def test_windows_of_all_sizes_share_it(backend: Database) -> None:
    chat = await long_chat(backend, scripted())
    windows = [Window(messages=size) for size in (400, LONG, 3, LONG + 4, 400)]

    for window in windows:
        found = await backend.store.history(chat.id, window, before=9999)

        numbers = [message.seq for message in found]
        assert numbers == list(range(LENGTH + 5 - min(window.messages, LENGTH + 4), LENGTH + 5))


@pytest.mark.parametrize("cache", [-1, 1.5, True, "64"])
def test_a_size_that_is_none_is_refused(cache: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="history_cache"):
        Database("sqlite://", history_cache=cache)


class TestAllChatsAreKept(
    HistoryIsReplayed, AnswersAreReplaced, RunsAreResumed, ChatsAreCompacted, FilesAreKept
):
    """What holds for a chat that is read anew holds for one that is in memory."""

    @pytest.fixture(autouse=True)
    def _short_chats_are_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history_cache, "LONG", 1)
