"""One chat, several processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4

import pytest
from pydantic_ai import BinaryContent, Tool

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.working import work_on
from chatrecord.errors import ProviderError, RunInterrupted, RunNotFound, RunStopped, SentBefore
from chatrecord.ids import new_id
from chatrecord.records import Run, RunStatus
from chatrecord.runs.process import Backend
from chatrecord.store.queued_question import queued_prompt
from chatrecord.testing.look import (
    has_journal,
    has_messages,
    load,
    new_chat,
    spoken,
    text_of,
    until,
)
from chatrecord.testing.script import Script, call, fail, hang, meet, say, think

from .shared import AWKWARD, add, begun, kinds_of, read


class ProcessesShare:
    """One chat, several processes."""

    async def test_a_run_is_followed_from_another_process_from_its_beginning(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        pieces = [f"{AWKWARD}{n}" for n in range(12)]
        script = Script(
            [think("hm", "mm", pause=0.05), say("Let me add."), call("add", a=1, b=2)],
            [say(*pieces, pause=0.06)],
        )
        chat = await new_chat(backend, script, tools=[add])
        first = [chunk async for chunk in begun(chat.stream("Go"))]
        twin = await load(elsewhere, chat, Script())

        streams = [twin.follow() for _ in range(3)]
        reads = [asyncio.create_task(read(stream)) for stream in streams]
        ends = await asyncio.gather(*reads)

        whole = "Let me add." + "".join(pieces)
        assert first
        assert [text_of(chunks) for chunks in ends] == [whole] * 3
        kinds = [kind for kind, _ in groupby(kinds_of(ends[0]))]
        assert kinds[:4] == ["reasoning", "text", "tool_call", "tool_result"]
        assert streams[0].reply.text == "".join(pieces)
        assert await twin.active_run() is None

    async def test_a_finished_run_is_followed_to_its_end(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("done")]))
        reply = await chat.ask("Hi!")
        twin = await load(elsewhere, chat, Script())

        for stream in (twin.follow(), twin.follow(reply.run_id), chat.follow()):
            assert text_of(await read(stream)) == "done"
            assert stream.reply.message_id == reply.message_id

    async def test_a_run_is_followed_in_its_own_chat_only(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("secret"), hang()]), user_id="ann")
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        run = await chat.active_run()
        assert run is not None
        other = await new_chat(backend, Script([say("hi")]), user_id="bob")
        await other.ask("Hi!")

        with pytest.raises(RunNotFound):
            await read(other.follow(run.id))

        await chat.stop()
        with pytest.raises(RunInterrupted):
            await asking

    async def test_there_is_nothing_to_follow_in_an_empty_chat(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())

        with pytest.raises(RunNotFound):
            await read(chat.follow())
        with pytest.raises(RunNotFound):
            await read(chat.follow(uuid4()))
        assert await chat.stop() is False

    async def test_a_run_is_stopped_from_another_process(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()], [say("on")]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        twin = await load(elsewhere, chat, Script())

        assert await twin.stop() is True

        answered = (await twin.messages())[-1]
        assert (answered.status, answered.text) == ("interrupted", "half")
        with pytest.raises(RunStopped):
            await asking
        with pytest.raises(RunStopped):
            await read(twin.follow())
        assert await twin.stop() is False
        assert (await chat.ask("Go on")).text == "on"

    async def test_a_run_that_parks_as_it_is_stopped_is_given_up(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        tools = [Tool(add, requires_approval=True)]
        script = Script([say("a", pause=0.1), call("add", "c1", a=1, b=2)])
        chat = await new_chat(backend, script, tools=tools)
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_messages(chat))
        twin = await load(elsewhere, chat, Script([say("free")]), tools=tools)
        request_stop = elsewhere.store.request_stop

        async def late(run_id: UUID) -> bool:
            await asking
            return await request_stop(run_id)

        elsewhere.store.request_stop = late  # type: ignore[method-assign]
        assert await twin.stop() is True

        assert await twin.active_run() is None
        assert (await twin.ask("And now?")).text == "free"

    async def test_closing_ends_a_question_that_is_about_to_wait(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(elsewhere, chat))
        for moment in range(8):
            twin = await load(backend, chat, Script(), on_busy="wait", on_disconnect="stop")
            waiting = asyncio.create_task(twin.ask("second"))
            await asyncio.sleep(moment * 0.002)
            waiting.cancel()
            await asyncio.wait([waiting])
        async with asyncio.timeout(5):
            while backend.runtime.journal._registered:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)

        assert await are_in_line(backend, chat, 0)
        await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)
        assert [message.text for message in await chat.messages()] == ["first", "half"]

    async def test_a_reader_sees_a_run_that_fails_elsewhere(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("half", pause=0.3), fail(RuntimeError("cut"))])
        chat = await new_chat(backend, script, retries=0)
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_messages(chat))
        twin = await load(elsewhere, chat, Script())

        with pytest.raises(ProviderError, match="cut") as failure:
            await read(twin.follow())

        assert failure.value.text == "half"
        with pytest.raises(ProviderError) as first:
            await asking
        assert str(first.value) == str(failure.value)

    async def test_the_same_send_is_one_run_with_one_answer(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("one ", "answer", pause=0.1)])
        chat = await new_chat(backend, script)
        twin = await load(elsewhere, chat, script)

        at_once = await asyncio.gather(
            *(either.ask("pay", idempotency_key="k") for either in (chat, twin, chat))
        )
        later = await twin.ask("pay", idempotency_key="k")

        assert {reply.text for reply in (*at_once, later)} == {"one answer"}
        assert len({reply.run_id for reply in (*at_once, later)}) == 1
        assert len(await chat.messages()) == 2
        assert len(script.requests) == 1
        stream = twin.stream("pay", idempotency_key="k")
        assert text_of(await read(stream)) == "one answer"
        assert stream.run_id == later.run_id

    async def test_a_key_is_good_for_one_question(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("paid 5")]))
        first = await chat.ask("pay 5", idempotency_key="k")

        with pytest.raises(SentBefore) as refusal:
            await chat.ask("pay 6", idempotency_key="k")

        assert refusal.value.run_id == first.run_id

    async def test_a_key_is_good_for_one_picture_and_for_one_place_in_line(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        script = Script([meet(gate.wait), say("first")], [say("a cat")])
        chat = await new_chat(backend, script, on_busy="wait")
        twin = await load(elsewhere, chat, Script(), on_busy="wait")
        first = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_messages(chat))
        cat, dog = (BinaryContent(data, media_type="image/png") for data in (b"cat", b"dog"))
        waits = asyncio.create_task(chat.ask(["What is it?", cat], idempotency_key="k"))
        await until(lambda: are_in_line(backend, chat, 1))

        with pytest.raises(SentBefore):
            await twin.ask(["What is it?", dog], idempotency_key="k")
        gate.set()

        assert ((await first).text, (await waits).text) == ("first", "a cat")
        with pytest.raises(SentBefore):
            await twin.ask(["What is it?", dog], idempotency_key="k")
        again = await twin.ask(["What is it?", cat], idempotency_key="k")
        assert again.text == "a cat"

    async def test_questions_wait_for_their_turn_if_asked_to(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        answers = [[say(f"a{n}", pause=0.02)] for n in range(1, 6)]
        script = Script([meet(gate.wait), say("a0")], *answers)
        chat = await new_chat(backend, script, on_busy="wait")
        twin = await load(elsewhere, chat, script, on_busy="wait")

        asking = [asyncio.create_task(chat.ask("q0"))]
        await until(lambda: has_messages(chat))
        for n, either in enumerate((twin, chat, chat, twin, chat), start=1):
            asking.append(asyncio.create_task(either.ask(f"q{n}")))
            await until(lambda: are_in_line(backend, chat, n))  # noqa: B023 - awaited at once
        gate.set()
        await asyncio.gather(*asking)

        texts = [message.text for message in await chat.messages()]
        assert texts == [text for n in range(6) for text in (f"q{n}", f"a{n}")]

    async def test_questions_of_one_moment_wait_in_their_order(self, backend: Backend) -> None:
        script = Script(*[[say(f"a{n}")] for n in range(5)])
        chat = await new_chat(backend, script, on_busy="wait")

        await asyncio.gather(*(chat.ask(f"q{n}") for n in range(5)))

        texts = [message.text for message in await chat.messages()]
        assert texts == [text for n in range(5) for text in (f"q{n}", f"a{n}")]

    async def test_a_question_that_is_taken_back_waits_no_more(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        script = Script([meet(gate.wait), say("one")], [say("two")])
        chat = await new_chat(backend, script, on_busy="wait", on_disconnect="stop")
        twin = await load(elsewhere, chat, script, on_busy="wait")
        first = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_messages(chat))
        taken_back = asyncio.create_task(chat.ask("never mind"))
        await until(lambda: are_in_line(backend, chat, 1))
        last = asyncio.create_task(twin.ask("last"))
        await until(lambda: are_in_line(backend, chat, 2))

        taken_back.cancel()
        gate.set()

        assert (await first).text == "one"
        assert (await last).text == "two"
        texts = [message.text for message in await chat.messages()]
        assert texts == ["first", "one", "last", "two"]

    async def test_nobody_waits_behind_a_dead_process(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("one", pause=0.2)], [say("two")])
        chat = await new_chat(backend, script, on_busy="wait")
        now = datetime.now(UTC)
        dead = waiting(chat, until=now - timedelta(seconds=1))
        alive = waiting(chat, until=now + timedelta(seconds=1))
        for run in (dead, alive):
            await elsewhere.store.enqueue_run(run)

        replies = await asyncio.gather(chat.ask("first"), chat.ask("second"))

        assert [reply.text for reply in replies] == ["one", "two"]
        assert datetime.now(UTC) > alive.lease_until

    async def test_what_died_in_line_can_be_sent_again(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("paid")]))
        dead = waiting(chat, until=datetime.now(UTC) - timedelta(seconds=1))
        await backend.store.enqueue_run(replace(dead, idempotency_key="k"))

        assert (await chat.ask("pay", idempotency_key="k")).text == "paid"

    async def test_a_question_that_died_in_line_is_kept_and_can_be_answered(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(backend, chat))
        twin = await load(elsewhere, chat, Script(), on_busy="wait")
        waiting = asyncio.create_task(twin.ask("second"))
        await until(lambda: _has_run(chat, "waiting"))
        (queued,) = await chat.runs(status="waiting")
        assert queued.question_text == "second"
        gone = replace(queued, lease_until=datetime.now(UTC) - timedelta(seconds=1))
        waiting.cancel()
        await asyncio.wait([waiting])
        await backend.store.enqueue_run(gone, queued_prompt(queued))

        assert await chats.repair(backend) >= 1

        (lost,) = await chat.runs(status="interrupted")
        assert (lost.id, lost.question_text) == (queued.id, "second")
        await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)
        script = Script([say("two")])
        assert (await work_on(backend, lost.id, lambda _: script)).text == "two"
        assert [row.text for row in await chat.messages()] == ["first", "half", "second", "two"]

    async def test_a_question_is_kept_where_its_process_is_closed_before_its_turn(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(elsewhere, chat))
        twin = await load(backend, chat, Script(), on_busy="wait")
        waiting = asyncio.create_task(twin.ask("second"))
        await until(lambda: _has_run(chat, "waiting"))

        await backend.runtime.close()

        with pytest.raises(RunInterrupted):
            await waiting
        (kept,) = await chat.runs(status="interrupted")
        assert kept.question_text == "second"
        await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)

    async def test_a_question_interrupts_the_running_one_if_asked_to(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(backend, chat))
        script = Script([say("second")])
        twin = await load(elsewhere, chat, script, on_busy="interrupt")

        await twin.ask("never mind")

        with pytest.raises(RunInterrupted):
            await asking
        assert spoken(script.requests[-1]) == [
            ("user", "first"), ("assistant", "half"), ("user", "never mind"),
        ]  # fmt: skip


async def are_in_line(backend: Backend, chat: Chat, count: int) -> bool:
    """Whether so many wait for this chat."""
    later = datetime.now(UTC) + timedelta(days=1)
    runs = await backend.store.expired_runs(later, chats=None, limit=10_000)
    line = [run for run in runs if run.status == "waiting" and run.chat_id == chat.id]
    return len(line) == count


def waiting(chat: Chat, *, until: datetime) -> Run:
    """A queued run of a process that will say nothing more."""
    return Run(
        id=new_id(),
        chat_id=chat.id,
        status="waiting",
        owner="somebody",
        epoch=1,
        lease_until=until,
        idempotency_key=None,
        instructions=None,
        settings=None,
        error=None,
        started_at=datetime.now(UTC),
        finished_at=None,
    )


async def _has_run(chat: Chat, status: RunStatus) -> bool:
    return bool(await chat.runs(status=status))
