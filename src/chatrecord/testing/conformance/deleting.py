"""Chats are deleted for a time or for good, one or all of an owner, and exported before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatrecord.chats import deletion
from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.searching import search_messages
from chatrecord.errors import (
    ChatNotFound,
    ChatRecordError,
    ConfigurationError,
    ProviderError,
    RunInterrupted,
    SearchUnavailable,
)
from chatrecord.runs.process import Backend
from chatrecord.spending.reports import Span
from chatrecord.store.feedback_store import FeedbackFilter
from chatrecord.testing.look import load, new_chat, until
from chatrecord.testing.script import Script, call, fail, hang, say
from chatrecord.transfer.chats import export_chat, import_chat
from chatrecord.transfer.owners import export_owner

from .shared import add, paying


class ChatsAreDeletedForATime:
    """Chats are deleted for a time or for good, one or all of an owner, and exported before."""

    async def test_a_chat_deleted_for_a_time_is_found_by_nothing_until_it_is_restored(
        self, backend: Backend
    ) -> None:
        owner = {"user_id": str(uuid4())}
        chat = await said(backend, owner, "A lynx")
        other = await said(backend, owner, "A lynx, too")
        await searchable(backend)

        await hide(backend, chat, owner)

        with pytest.raises(ChatNotFound):
            await load(backend, chat, Script())
        assert await listed(backend, owner) == [other.id]
        assert {it.chat_id for it in await search(backend, "lynx", owner)} == {other.id}
        for work in (
            chat.ask("Still there?"), chat.rename("x"), read_export(backend, chat),
            hide(backend, chat, owner),
        ):  # fmt: skip
            with pytest.raises(ChatNotFound):
                await work
        assert [it.id for it in await deletion.list_deleted_chats(backend, limit=9, scope=owner)]

        await deletion.restore_chat(backend, chat.id, owner)

        assert sorted(await listed(backend, owner)) == sorted([chat.id, other.id])
        assert len(await search(backend, "lynx", owner)) == 2
        loaded = await load(backend, chat, Script([say("Yes")]))
        assert (await loaded.ask("Still there?")).text == "Yes"
        with pytest.raises(ChatNotFound):
            await deletion.restore_chat(backend, chat.id, owner)

    async def test_a_chat_that_was_loaded_before_writes_nothing_once_it_is_deleted_for_a_time(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("Half"), fail(RuntimeError("cut"))], [say("Whole")])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Well?")
        question, answer = await chat.messages()
        await chat.give_feedback(answer.id, 1)

        await hide(elsewhere, chat, {})

        for work in (
            chat.ask("And?"), chat.submit("And?"), chat.resume()._whole(), chat.submit_resume(),
            chat.regenerate()._whole(), chat.edit(question.id, "And?")._whole(),
            chat.give_feedback(answer.id, -1), chat.withdraw_feedback(answer.id),
            chat.restore(question.id), chat.fork(), chat.rename("x"), chat.update(metadata={}),
        ):  # fmt: skip
            with pytest.raises(ChatNotFound):
                await work
        await deletion.restore_chat(backend, chat.id, {})
        assert [it.id for it in await chat.messages()] == [question.id, answer.id]
        assert [run.status for run in await chat.runs()] == ["failed"]
        assert [it.value for it in await chat.feedback()] == [1]

    async def test_its_queued_runs_and_feedback_are_not_listed(self, backend: Backend) -> None:
        """Nobody can load the chat that they name."""
        owner = {"user_id": str(uuid4())}
        chat = await said(backend, owner, "A lynx")
        await chat.give_feedback((await chat.messages())[-1].id, 1)
        run_id = await chat.submit("And then?")
        both = ["feedback", "runs"]
        assert await named(backend, chat, owner) == await named(backend, chat, {}) == both

        await hide(backend, chat, owner)

        assert await named(backend, chat, owner) == await named(backend, chat, {}) == []
        await deletion.restore_chat(backend, chat.id, owner)
        assert await named(backend, chat, owner) == both
        await chat.stop(run_id)

    async def test_usage_counts_a_chat_that_was_deleted_for_a_time(self, backend: Backend) -> None:
        owner = {"user_id": str(uuid4())}
        chat = await said(backend, owner, "A lynx")
        span = Span(datetime.now(UTC) - timedelta(hours=1), None, ())
        (before,) = await backend.store.report([], span, owner)

        await hide(backend, chat, owner)

        assert await backend.store.report([], span, owner) == [before]

    async def test_only_the_owner_deletes_and_restores(self, backend: Backend) -> None:
        owner, other = {"user_id": str(uuid4())}, {"user_id": str(uuid4())}
        chat = await said(backend, owner, "A lynx")

        with pytest.raises(ChatNotFound):
            await hide(backend, chat, other)
        await hide(backend, chat, owner)
        with pytest.raises(ChatNotFound):
            await deletion.restore_chat(backend, chat.id, other)
        assert await deletion.list_deleted_chats(backend, limit=9, scope=other) == []

    async def test_a_live_run_is_stopped_before_its_chat_is_deleted_for_a_time(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        owner = {"user_id": str(uuid4())}
        script = Script([say("Half"), hang()])
        chat = await new_chat(backend, script, user_id=owner["user_id"])
        asking = asyncio.create_task(chat.ask("Well?"))
        await until(lambda: has_run(chat))

        await deletion.delete_chat(elsewhere, chat.id, owner, "delete", True)

        with pytest.raises(RunInterrupted):
            await asking
        await deletion.restore_chat(backend, chat.id, owner)
        assert (await chat.messages())[-1].status == "interrupted"

    async def test_the_retention_decides_what_delete_does_and_when_purge_ends_it(
        self, backend: Backend
    ) -> None:
        owner = {"user_id": str(uuid4())}
        first, second = await said(backend, owner, "One"), await said(backend, owner, "Two")
        with pytest.raises(ConfigurationError, match="retention"):
            await deletion.purge_deleted(backend, None, "delete", owner)

        with retention(backend, timedelta(days=30)):
            await deletion.delete_chat(backend, first.id, owner, "delete", None)
            await deletion.delete_chat(backend, second.id, owner, "delete", False)
            assert await deletion.purge_deleted(backend, None, "delete", owner) == 0
            (kept,) = await deletion.list_deleted_chats(backend, limit=9, scope=owner)
            assert kept.id == first.id

        ended = await deletion.purge_deleted(backend, timedelta(0), "delete", owner)

        assert ended == 1
        with pytest.raises(ChatNotFound):
            await deletion.restore_chat(backend, first.id, owner)
        assert await backend.store.messages(first.id, limit=9, before=None) == []

    async def test_everything_of_an_owner_is_erased_and_nothing_of_another(
        self, backend: Backend
    ) -> None:
        owner, other = {"user_id": str(uuid4())}, {"user_id": str(uuid4())}
        hidden, parked = await said(backend, owner, "A lynx"), await waiting(backend, owner)
        plain, theirs = await said(backend, owner, "A lynx"), await said(backend, other, "A lynx")
        await hide(backend, hidden, owner)
        live = await new_chat(backend, Script([say("Half"), hang()]), user_id=owner["user_id"])
        asking = asyncio.create_task(live.ask("Well?"))
        await until(lambda: has_run(live))
        await searchable(backend)

        assert await deletion.erase_owner(backend, owner, "delete") == 4

        with pytest.raises(ChatRecordError):
            await asking
        assert await backend.store.every_chat(owner, after=None, limit=9) == []
        for chat in (hidden, parked, plain, live):
            assert await backend.store.messages(chat.id, limit=9, before=None) == []
            assert await backend.store.requests(chat.id) == []
        assert await search(backend, "lynx", owner) == []
        assert len(await search(backend, "lynx", other)) == 1
        assert len(await theirs.messages()) == 2
        assert await deletion.erase_owner(backend, owner, "delete") == 0

    async def test_everything_of_an_owner_is_exported_and_can_be_imported(
        self, backend: Backend, tmp_path: Path
    ) -> None:
        owner, other = {"user_id": str(uuid4())}, {"user_id": str(uuid4())}
        plain, hidden = await said(backend, owner, "A lynx"), await said(backend, owner, "A seal")
        await said(backend, other, "Not theirs")
        await hide(backend, hidden, owner)

        assert await export_owner(backend, tmp_path / "theirs", owner) == 2

        files = {path.stem: path for path in (tmp_path / "theirs").iterdir()}
        assert set(files) == {str(plain.id), str(hidden.id)}
        await deletion.erase_owner(backend, owner, "delete")
        for path in files.values():
            await import_chat(backend, path.read_bytes().splitlines(), new_ids=False, columns={})
        texts = {
            message.text
            for chat in (plain, hidden)
            for message in await backend.store.messages(chat.id, limit=9, before=None)
        }
        assert texts == {"Well?", "A lynx", "A seal"}

    async def test_an_export_that_was_interrupted_goes_on(
        self, backend: Backend, tmp_path: Path
    ) -> None:
        owner = {"user_id": str(uuid4())}
        old, changed = await said(backend, owner, "A lynx"), await said(backend, owner, "A seal")
        await export_owner(backend, tmp_path, owner)
        times = written(tmp_path)
        new = await said(backend, owner, "A hare")
        (tmp_path / f"{new.id}.part").write_text("half of it")
        await changed.rename("Renamed")

        assert await export_owner(backend, tmp_path, owner) == 3

        then = written(tmp_path)
        assert then.keys() == {f"{chat.id}.jsonl" for chat in (old, changed, new)}
        assert then[f"{old.id}.jsonl"] == times[f"{old.id}.jsonl"]
        assert "Renamed" in (tmp_path / f"{changed.id}.jsonl").read_text()


async def said(backend: Backend, owner: dict[str, str], answer: str) -> Chat[Any, Any]:
    chat = await new_chat(backend, Script([say(answer)]), user_id=owner["user_id"])
    await chat.ask("Well?")
    return chat


async def waiting(backend: Backend, owner: dict[str, str]) -> Chat[Any, Any]:
    """A chat whose run waits for approval."""
    from pydantic_ai import Tool  # noqa: PLC0415 - needed for this alone

    tools = [Tool(paying([]), name="pay", requires_approval=True), add]
    script = Script([call("pay", n=1)])
    chat = await new_chat(backend, script, user_id=owner["user_id"], tools=tools)
    await chat.ask("Pay!")
    return chat


async def hide(backend: Backend, chat: Chat[Any, Any], owner: dict[str, str]) -> None:
    await deletion.delete_chat(backend, chat.id, owner, "delete", True)


async def named(backend: Backend, chat: Chat[Any, Any], scope: dict[str, str]) -> list[str]:
    """Which lists name this chat."""
    store, page = backend.store, FeedbackFilter(None, None, None, scope)
    feedback = await store.list_feedback(page, limit=100, before=None)
    runs = await store.list_runs(status="queued", scope=scope, limit=100)
    assert await store.count_runs(status="queued", scope=scope) == len(runs)
    lists = {"feedback": {row.chat_id for row in feedback}, "runs": {run.chat_id for run in runs}}
    return [name for name, chat_ids in lists.items() if chat.id in chat_ids]


async def listed(backend: Backend, owner: dict[str, str]) -> list[Any]:
    found = await chats.list_chats(backend, limit=9, before=None, scope=owner)
    return [chat.id for chat in found]


async def search(backend: Backend, query: str, owner: dict[str, str]) -> list[Any]:
    return await search_messages(backend, query, limit=9, after=None, superseded=False, scope=owner)


async def searchable(backend: Backend) -> None:
    try:
        await search(backend, "anything", {"user_id": "nobody"})
    except SearchUnavailable:
        await backend.store.create_search()


async def read_export(backend: Backend, chat: Chat[Any, Any]) -> list[str]:
    return [line async for line in export_chat(backend, chat.id, {})]


def written(folder: Path) -> dict[str, int]:
    """When each file was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


async def has_run(chat: Chat[Any, Any]) -> bool:
    run = await chat.active_run()
    return run is not None and run.status == "running"


@contextmanager
def retention(backend: Backend, time: timedelta) -> Iterator[None]:
    backend.store.retention = time
    try:
        yield
    finally:
        backend.store.retention = None
