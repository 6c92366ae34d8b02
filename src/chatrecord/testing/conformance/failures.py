"""When a provider, a reader or a database fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from chatrecord.chats import opening as chats
from chatrecord.errors import ConfigurationError, DatabaseFailed, ProviderError, RunInterrupted
from chatrecord.runs.process import Backend
from chatrecord.store.changes import Changes
from chatrecord.testing.look import (
    LEAVING,
    ended_answer,
    has_journal,
    journal_of,
    new_chat,
    spoken,
    text_of,
    until,
)
from chatrecord.testing.script import Script, call, fail, hang, say, think

from .shared import add, read


class FailuresLoseNothing:
    """When a provider, a reader or a database fails."""

    async def test_a_failing_provider_keeps_the_partial_answer(self, backend: Backend) -> None:
        error = ModelHTTPError(503, "script", {"error": {"message": "overloaded"}})
        chat = await new_chat(
            backend, Script([think("so"), say("Hal", "f an"), fail(error)]), retries=0
        )

        with pytest.raises(ProviderError) as failure:
            await chat.ask("Hi!")

        assert failure.value.__cause__ is error
        assert (failure.value.http_status, failure.value.text) == (503, "Half an")
        _, answered = await chat.messages()
        assert (answered.status, answered.text, answered.reasoning) == ("failed", "Half an", "so")
        (request,) = await chat.requests()
        assert (request.status, request.http_status) == ("failed", 503)
        assert request.error_type == "ModelHTTPError"
        assert "overloaded" in str(request.error)

    async def test_the_next_question_takes_the_partial_answer_along(self, backend: Backend) -> None:
        script = Script([say("Half an"), fail(RuntimeError("cut"))], [say("Whole")])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Hi!")

        await chat.ask("Go on")

        assert spoken(script.requests[-1]) == [
            ("user", "Hi!"),
            ("assistant", "Half an"),
            ("user", "Go on"),
        ]

    async def test_an_answer_of_nothing_is_not_replayed(self, backend: Backend) -> None:
        script = Script([fail(RuntimeError("at once"))], [say("Whole")])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Hi!")

        await chat.ask("Go on")

        assert all(message.parts for message in script.requests[-1])
        assert "Hi!" in str(script.requests[-1])
        assert [message.status for message in await chat.messages()] == [
            "complete", "failed", "complete", "complete",
        ]  # fmt: skip

    async def test_a_failed_attempt_is_tried_again_and_both_are_rows(
        self, backend: Backend
    ) -> None:
        error = ModelHTTPError(429, "script", {"message": "slow down"})
        chat = await new_chat(backend, Script([fail(error)], [say("Here")]), retries=1)

        reply = await chat.ask("Hi!")

        assert reply.text == "Here"
        assert [request.status for request in await chat.requests()] == ["failed", "complete"]
        assert [message.text for message in await chat.messages()] == ["Hi!", "Here"]
        assert reply.usage.requests == 2

    async def test_a_reader_that_leaves_does_not_stop_the_run(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("one ", "two ", "three", pause=0.03)]))

        async for chunk in chat.stream("count"):
            assert chunk.text
            break

        answered = await ended_answer(chat)
        assert (answered.status, answered.text) == ("complete", "one two three")

    async def test_a_cancelled_ask_does_not_stop_the_run(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("one ", "two", pause=0.05)]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(chat.ask("count"), 0.07)

        answered = await ended_answer(chat)
        assert (answered.status, answered.text) == ("complete", "one two")

    @pytest.mark.parametrize("leave", ["break", "with", "cancel"])
    async def test_a_reader_that_leaves_stops_the_run_if_asked_to(
        self, backend: Backend, leave: str
    ) -> None:
        script = Script([say("one ", "two "), hang()], [say("on")])
        chat = await new_chat(backend, script, on_disconnect="stop")

        await LEAVING[leave](chat)

        answered = await ended_answer(chat)
        assert (answered.status, answered.text) == ("interrupted", "one two ")
        (request,) = await chat.requests()
        assert request.status == "interrupted"
        await chat.ask("Go on")
        assert spoken(script.requests[-1])[1] == ("assistant", "one two ")

    async def test_a_stream_left_before_it_was_read_is_stopped(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([hang()]), on_disconnect="stop")

        async with asyncio.timeout(5):
            async with chat.stream("Hi!"):
                pass

        assert await chat.active_run() is None

    async def test_a_reader_may_look_for_chunks_with_a_timeout(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a", "b", "c", pause=0.15)]))
        stream, seen = chat.stream("Go"), ""

        with suppress(StopAsyncIteration):
            while True:
                with suppress(TimeoutError):
                    seen += (await asyncio.wait_for(anext(stream), 0.04)).text

        assert seen == stream.reply.text == "abc"

    async def test_a_chat_deleted_in_mid_answer_ends_its_run(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))

        await chats.delete_chat(backend, chat.id, {})

        with pytest.raises(RunInterrupted, match="deleted"):
            await asyncio.wait_for(asking, 5)

    async def test_a_closed_database_begins_nothing(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hi")]))
        await backend.runtime.close()

        with pytest.raises(ConfigurationError, match="closed"):
            await chat.ask("Hi!")

    async def test_a_write_that_failed_for_a_moment_is_tried_again(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether or not the transaction was committed when its connection was lost."""
        write, fates = backend.store.write, ["lost before", "lost after"] * 3

        async def flaky(changes: Changes) -> None:
            fate = fates.pop() if fates else "well"
            if fate != "lost before":
                await write(changes)
            if fate != "well":
                raise DatabaseFailed(fate, may_pass=True)

        chat = await new_chat(backend, Script([call("add", a=1, b=2)], [say("3")]), tools=[add])
        monkeypatch.setattr(backend.store, "write", flaky)
        reply = await chat.ask("1 + 2?")

        assert reply.text == "3"
        assert fates == []
        assert [message.status for message in await chat.messages()] == ["complete"] * 4

    async def test_a_tick_that_failed_for_a_moment_is_written_once(
        self, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flush, fates = backend.store.flush, ["lost before", "lost after", "well"] * 2

        async def flaky(*arguments: Any, **options: Any) -> Any:
            fate = fates.pop() if fates else "well"
            kept = await flush(*arguments, **options) if fate != "lost before" else {}
            if fate != "well":
                raise DatabaseFailed(fate, may_pass=True)
            return kept

        chat = await new_chat(backend, Script([say(*"abcdefghij", pause=0.06)]))
        monkeypatch.setattr(backend.store, "flush", flaky)
        chunks = await read(chat.stream("Go"))

        assert text_of(chunks) == "abcdefghij"
        assert len(chunks) > 1, "stored by flushes, and not only at the end"
        assert await journal_of(backend, chat) == ""

    async def test_closing_the_database_keeps_what_has_come(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))

        await backend.runtime.close()

        with pytest.raises(RunInterrupted):
            await asking
        answered = (await chat.messages())[-1]
        assert (answered.status, answered.text) == ("interrupted", "half")
