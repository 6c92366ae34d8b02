"""What a server needs that hands answers on."""

from __future__ import annotations

import asyncio

import pytest

from chatrecord.errors import ChatBusy, MessageNotFound, ProviderError
from chatrecord.records import Chunk
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Script, call, fail, meet, say

from .shared import UNKNOWN_ID, add, read


class AnswersAreServed:
    """Streams that are awaited, taken in bulk, and read beside others."""

    async def test_a_stream_starts_before_its_first_text(self, backend: Backend) -> None:
        """So that a server can refuse a question before it answers."""
        silent = asyncio.Event()
        chat = await new_chat(backend, Script([meet(silent.wait), say("At last.")]))
        stream = chat.stream("q")
        run_id = await stream.begun()
        other = chat.stream("too soon")
        with pytest.raises(ChatBusy) as busy:
            await other.begun()
        assert busy.value.run_id == run_id
        active = await chat.active_run()
        assert active is not None
        assert active.id == run_id
        silent.set()
        assert (await stream).text == "At last."

    async def test_a_stream_is_taken_in_bulk(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say(*"abc", pause=0.1)]))
        stream = chat.stream("q")
        taken: list[Chunk] = []
        while chunks := await stream.take():
            taken += chunks
        assert "".join(chunk.text for chunk in taken) == "abc" == stream.reply.text
        again = chat.follow()
        assert list(await again.take()) == await read(chat.follow())

    async def test_a_follower_gets_no_chunk_twice_after_a_retry(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("half an "), fail(OSError("cut"))])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("q")
        asked = asyncio.Event()
        paused = asyncio.Event()

        async def wait() -> None:
            asked.set()
            await paused.wait()

        chat = await load(backend, chat, Script([meet(wait), say("a whole answer")]))
        resumed = chat.resume()
        run_id = await resumed.begun()
        early = (await load(elsewhere, chat, Script())).follow(run_id)
        reading = asyncio.create_task(read(early))
        await asyncio.wait_for(asked.wait(), 5)
        paused.set()
        assert (await resumed).text == "a whole answer"
        assert "".join(chunk.text for chunk in await reading) == "a whole answer"
        there = await load(elsewhere, chat, Script())
        for follower in (there, chat):
            chunks = await read(follower.follow())
            assert "".join(chunk.text for chunk in chunks) == "a whole answer"

    async def test_any_current_question_can_be_answered_again(self, backend: Backend) -> None:
        script = Script([say("a0")], [say("a1")], [say("better")])
        chat = await new_chat(backend, script)
        await chat.ask("q0")
        await chat.ask("q1")
        first, answer, second, _ = await chat.messages()
        await chat.regenerate(first.id)
        standing = [row for row in await chat.messages() if row.status != "superseded"]
        assert [row.text for row in standing] == ["q0", "better"]
        for other in (answer.id, second.id, type(first.id)(UNKNOWN_ID)):
            with pytest.raises(MessageNotFound):
                await chat.regenerate(other)

    async def test_what_some_runs_did_is_read_at_once(self, backend: Backend) -> None:
        script = Script(
            *([[call("add", a=n, b=1)], [say("ok")]][m] for n in range(3) for m in (0, 1))
        )
        chat = await new_chat(backend, script, tools=[add])
        other = await new_chat(backend, Script([call("add", a=1, b=1)], [say("ok")]), tools=[add])
        runs = [(await chat.ask(f"{n} + 1?", idempotency_key=f"k{n}")).run_id for n in range(3)]
        theirs = (await other.ask("1 + 1?")).run_id
        rows = await backend.store.rows_of_runs(chat.id, [runs[2], runs[0], theirs])
        assert [run.id for run in rows.runs] == [runs[0], runs[2]]
        assert [made.arguments for made in rows.tool_calls] == [{"a": 0, "b": 1}, {"a": 2, "b": 1}]
        assert len(rows.requests) == 4
        assert not (await backend.store.rows_of_runs(chat.id, [])).runs
        found = await backend.store.run_of_key(chat.id, "k1")
        assert found is not None
        assert found.id == runs[1]
        assert await backend.store.run_of_key(other.id, "k1") is None
