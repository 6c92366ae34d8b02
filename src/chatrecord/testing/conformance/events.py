"""Events: stored with what they tell of, and read in order, whatever has happened meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic_ai import Tool

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.working import work_on
from chatrecord.errors import RunError
from chatrecord.events import Event
from chatrecord.ids import new_id
from chatrecord.runs.event_feed import events
from chatrecord.runs.process import Backend
from chatrecord.spending.budgets import Budget
from chatrecord.store.event_store import ReaderState
from chatrecord.testing.look import die, has_journal, load, new_chat, until
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add, begun

FAR = timedelta(hours=1)


async def told_of(backend: Backend, chat: Chat) -> list[Event]:
    """What is told of a chat, in the order in which it is told."""
    found = events(backend.store, 0, (), {}, follow=False)
    return [event async for event in found if event.chat_id == chat.id]


def types_of(found: Sequence[Event]) -> list[str]:
    return [event.type for event in found]


async def _has_told(backend: Backend, chat: Chat, number: int) -> bool:
    return len(await told_of(backend, chat)) == number


class EventsAreTold:
    """Events."""

    async def test_the_end_of_a_run_is_told_with_its_ids_and_none_of_its_words(
        self, backend: Backend
    ) -> None:
        script = Script([say("secret")], [fail(ConnectionError("secret"))])
        chat = await new_chat(backend, script, retries=0)
        reply = await chat.ask("secret")
        with pytest.raises(RunError):
            await chat.ask("secret")

        complete, failed = await told_of(backend, chat)

        assert (complete.type, complete.run_id) == ("run.complete", reply.run_id)
        assert complete.data == {"message_id": str(reply.message_id)}
        assert failed.type == "run.failed"
        assert set(failed.data) == {"message_id", "error_type"}
        assert failed.id > complete.id
        assert "secret" not in repr((complete, failed))

    async def test_a_stop_is_told_apart(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        async for _ in begun(chat.stream("Go on")):
            await chat.stop()

        assert types_of(await told_of(backend, chat)) == ["run.stopped"]

    async def test_a_parked_run_tells_which_calls_wait(self, backend: Backend) -> None:
        script = Script([call("add", "c1", a=1, b=2)], [say("3")])
        chat = await new_chat(backend, script, tools=[Tool(add, requires_approval=True)])
        await chat.ask("1 + 2?")
        await chat.approve("c1")
        async for _ in chat.resume():
            pass

        parked, complete = await told_of(backend, chat)

        assert parked.type == "run.parked"
        assert parked.data["tool_calls"] == [{"call_id": "c1", "name": "add"}]
        assert (complete.type, complete.run_id) == ("run.complete", parked.run_id)

    async def test_a_run_that_is_repaired_elsewhere_is_told(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        """Hooks of the process that has died never hear of it."""
        chat = await new_chat(backend, Script([say("half"), hang()]))
        async for _ in begun(chat.stream("Go on")):
            pass
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)

        await chats.repair(elsewhere, chats=[chat.id])

        (event,) = await told_of(elsewhere, chat)
        assert (event.type, event.run_id is None) == ("run.repaired", False)

    async def test_the_end_of_a_run_that_never_began_is_told(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        twin = await load(elsewhere, chat, Script())
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(backend, chat))
        first = (await chat.runs())[0].id
        second, third = await chat.submit("2"), await chat.submit("3")

        assert await twin.stop(second) is True
        assert await twin.stop(second) is False
        await chat.stop(first)
        await asyncio.wait([asking])
        await chat.stop(third)

        told = await told_of(backend, chat)
        assert [(event.type, event.run_id) for event in told] == [
            ("run.stopped", second), ("run.stopped", first), ("run.stopped", third),
        ]  # fmt: skip
        assert told[0].data == {"error_type": "RunStopped"}

    async def test_the_end_of_a_run_is_told_whose_process_died_before_its_turn(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(backend, chat))
        now = datetime.now(UTC)
        waiting = (await chat.runs())[0]
        lost = [new_id(), new_id()]
        for run_id in lost:
            gone = replace(waiting, id=run_id, status="waiting", lease_until=now - FAR)
            await backend.store.enqueue_run(gone)

        twin = await load(elsewhere, chat, Script([say("on")]), on_busy="wait")
        later = asyncio.create_task(twin.ask("second"))  # queues up, and finds the first of them
        await until(lambda: _has_told(backend, chat, len(lost)))
        await chat.stop()
        await asyncio.wait([asking])
        await later

        told = [(it.type, it.run_id) for it in await told_of(backend, chat)]
        assert sorted(told[: len(lost)], key=str) == sorted(
            [("run.repaired", run_id) for run_id in lost], key=str
        )
        assert [kind for kind, _ in told[len(lost) :]] == ["run.stopped", "run.complete"]

    async def test_a_stop_is_told_of_a_run_that_waits_for_another_worker(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        run_id = await chat.submit("Hi!")
        script = Script([say("half"), hang()])
        working = asyncio.create_task(work_on(backend, run_id, lambda _: script))
        await until(lambda: has_journal(backend, chat))
        working.cancel()
        await asyncio.wait([working])

        await chat.stop(run_id)

        (event,) = await told_of(backend, chat)
        assert (event.type, event.data["error_type"]) == ("run.stopped", "RunStopped")
        assert event.data["message_id"] == str((await chat.messages())[-1].id)

    async def test_a_budget_at_its_warning_is_told_once(self, backend: Backend) -> None:
        budget = Budget(tokens=1_000_000, by="chat_id", warn_at=0.000001)
        chat = await new_chat(backend, Script(*[[say("hi")] for _ in range(3)]), budgets=[budget])
        for _ in range(3):
            await chat.ask("Hi")

        found = await told_of(backend, chat)

        assert sorted(types_of(found)) == ["budget.warning", *["run.complete"] * 3]
        (warning,) = (event.data for event in found if event.type == "budget.warning")
        assert (warning["whose"], warning["tokens"]) == (str(chat.id), 1_000_000)
        assert Decimal(warning["used_tokens"]) > 0

    async def test_of_a_deleted_chat_only_that_is_told(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hi")], [say("hi")]))
        await chat.ask("Hi")
        before = await told_of(backend, chat)
        await chat.ask("Hi")
        await chats.delete_chat(backend, chat.id, {})

        (deleted,) = await told_of(backend, chat)
        assert (deleted.type, deleted.run_id, deleted.data) == ("chat.deleted", None, {})
        assert deleted.id > before[-1].id

    async def test_the_events_of_a_chat_come_in_its_order_by_whatever_clock(
        self, backend: Backend, elsewhere: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first run ends in a process whose clock is ahead, before anybody has read."""
        chat = await new_chat(backend, Script([say("one")], [say("two")]))
        ahead = int((datetime.now(UTC) + FAR).timestamp() * 1e9)
        with monkeypatch.context() as patched:
            patched.setattr("chatrecord.ids.time.time_ns", lambda: ahead)
            patched.setattr("chatrecord.ids._last", 0)
            first = await chat.ask("One?")
        second = await chat.ask("Two?")

        found = await told_of(elsewhere, chat)

        assert [event.run_id for event in found] == [first.run_id, second.run_id]

    async def test_a_reader_follows_within_its_scope_and_types(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        await backend.store.number_events()
        mine = await new_chat(backend, Script([say("hi")], [say("hi")]), user_id="events-mine")
        others = await new_chat(backend, Script([say("hi")]), user_id="events-others")
        scope = {"user_id": "events-mine"}
        async with aclosing(
            events(elsewhere.store, 0, ["run.complete"], scope, follow=True)
        ) as found:
            waiting = asyncio.ensure_future(anext(found))
            await others.ask("Hi")
            first = await mine.ask("Hi")
            async with asyncio.timeout(10):
                event = await waiting
            assert event.run_id == first.run_id
            second = await mine.ask("Hi")
            async with asyncio.timeout(10):
                assert (await anext(found)).run_id == second.run_id

        after = events(elsewhere.store, event.id, ["run.complete"], scope, follow=False)
        assert [it.run_id async for it in after] == [second.run_id]

    async def test_a_number_is_given_once_by_however_many_readers(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script(*[[say("hi")] for _ in range(6)]))
        for _ in range(6):
            await chat.ask("Hi")

        both = [backend.store, elsewhere.store] * 3
        await asyncio.gather(*(store.number_events() for store in both))

        numbers = [event.id for event in await told_of(backend, chat)]
        assert len(set(numbers)) == 6
        assert numbers == sorted(numbers)

    async def test_old_events_are_deleted_and_numbers_not_given_again(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("hi")], [say("hi")]))
        await chat.ask("Hi")
        last = await backend.store.number_events()

        assert await backend.store.purge_events(datetime.now(UTC) + FAR) >= 1
        assert await told_of(backend, chat) == []

        await chat.ask("Hi")
        (event,) = await told_of(backend, chat)
        assert event.id > last

    async def test_a_name_has_one_reader_until_its_lease_is_over(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        now, name = datetime.now(UTC), f"reader {datetime.now(UTC)}"
        until_then = now + FAR

        first = await backend.store.claim_reader(name, owner="a", now=now, until=until_then)
        second = await elsewhere.store.claim_reader(name, owner="b", now=now, until=until_then)

        assert first == ReaderState(name, 0, None)
        assert second is None
        state = ReaderState(name, 7, [[1, 2]])
        assert await backend.store.save_reader(state, owner="a", until=until_then)
        assert not await elsewhere.store.save_reader(state, owner="b", until=until_then)
        later = until_then + FAR
        taken = await elsewhere.store.claim_reader(name, owner="b", now=later, until=later)
        assert taken == state
        assert not await backend.store.save_reader(state, owner="a", until=later)
