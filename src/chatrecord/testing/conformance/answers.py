"""Asking and streaming."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from chatrecord.errors import ChatBusy
from chatrecord.runs.chunks import LONGEST_PIECE
from chatrecord.runs.process import Backend
from chatrecord.testing.look import (
    has_journal,
    has_messages,
    journal_of,
    load,
    new_chat,
    text_of,
    until,
)
from chatrecord.testing.script import Script, meet, say, think

from .shared import AWKWARD

PARTS = (
    ThinkingPart("I look."),
    TextPart("I will look that up."),
    NativeToolCallPart("web_search", {"query": "Rome"}, "s1", provider_name="function"),
    NativeToolReturnPart("web_search", {"hits": 1}, "s1", provider_name="function"),
    ThinkingPart("**Comparing sources**"),
    TextPart("Rome is sunny."),
    TextPart(" And warm."),
)


def searched(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """An answer whose provider searches the web in between."""
    return ModelResponse(parts=list(PARTS))


class AnswersAreRows:
    """Asking and streaming."""

    async def test_an_answer_is_rows(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([think("hm"), say("Hel", "lo")]))

        reply = await chat.ask("Hi!")

        asked, answered = await chat.messages()
        assert (asked.seq, asked.role, asked.status, asked.text) == (1, "user", "complete", "Hi!")
        assert (answered.seq, answered.role, answered.status) == (2, "assistant", "complete")
        assert (
            (answered.text, answered.reasoning) == (reply.text, reply.reasoning) == ("Hello", "hm")
        )
        assert answered.id == reply.message_id
        assert answered.run_id == asked.run_id == reply.run_id
        (request,) = await chat.requests()
        assert (request.status, request.message_id) == ("complete", answered.id)
        assert request.latency_ms is not None
        assert request.first_token_ms is not None
        assert request.latency_ms >= request.first_token_ms >= 0
        assert request.tokens == answered.tokens

    async def test_a_huge_piece_is_stored_and_handed_on_in_pieces(self, backend: Backend) -> None:
        said = "".join(f"<{n}> {AWKWARD}" for n in range(8000))
        journaled: list[str] = []

        async def look() -> None:
            await until(lambda: has_journal(backend, chat))
            journaled.append(await journal_of(backend, chat))

        chat = await new_chat(backend, Script([say(said), meet(look)]))

        chunks = [chunk async for chunk in chat.stream("Hi!")]

        assert text_of(chunks) == (await chat.messages())[-1].text == journaled[0] == said
        assert max(len(chunk.text) for chunk in chunks) <= LONGEST_PIECE

    async def test_times_are_aware_and_in_order(self, backend: Backend) -> None:
        before = datetime.now(UTC)
        chat = await new_chat(backend, Script([say("hi")]))
        await chat.ask("Hi!")

        asked, answered = await chat.messages()

        assert answered.finished_at is not None
        times = [before, chat.record.created_at, asked.created_at, answered.finished_at]
        assert all(time.utcoffset() == timedelta(0) for time in times)
        assert times == sorted(times)

    async def test_what_is_streamed_is_what_is_stored(self, backend: Backend) -> None:
        pieces = [f"{AWKWARD}{n}" for n in range(20)]
        chat = await new_chat(
            backend, Script([think(*pieces, pause=0.005), say(*pieces, pause=0.01)])
        )

        stream = chat.stream("Go on")
        chunks = [chunk async for chunk in stream]

        _, answered = await chat.messages()
        assert text_of(chunks) == answered.text == stream.reply.text == "".join(pieces)
        assert "".join(chunk.reasoning for chunk in chunks) == answered.reasoning
        assert len(chunks) > 4, "the answer came in one piece"
        assert {chunk.message_id for chunk in chunks} == {answered.id}

    async def test_parts_of_an_answer_stand_apart(self, backend: Backend) -> None:
        """A blank line parts what a provider said before and after it searched."""
        chat = await new_chat(backend, FunctionModel(searched))

        stream = chat.stream("How is the weather?")
        chunks = [chunk async for chunk in stream]
        followed = await (await load(backend, chat, Script())).follow()

        _, answered = await chat.messages()
        text = "I will look that up.\n\nRome is sunny. And warm."
        reasoning = "I look.\n\n**Comparing sources**"
        assert text_of(chunks) == answered.text == stream.reply.text == followed.text == text
        assert stream.reply.output == followed.output == text
        assert "".join(chunk.reasoning for chunk in chunks) == answered.reasoning == reasoning
        replayed = Script([say("Mild.")])
        await (await load(backend, chat, replayed)).ask("And Milan?")
        _, sent, _ = replayed.requests[0]
        assert [part.part_kind for part in sent.parts] == [part.part_kind for part in PARTS]

    async def test_the_question_is_committed_before_the_provider_is_called(
        self, backend: Backend
    ) -> None:
        seen: list[str] = []

        async def look() -> None:
            seen.extend(message.text for message in await chat.messages())

        chat = await new_chat(backend, Script([meet(look), say("yes")]))
        await chat.ask("Am I stored?")

        assert seen == ["Am I stored?", ""]

    async def test_a_chunk_is_stored_before_it_is_delivered(self, backend: Backend) -> None:
        """What was seen must be in the journal: nothing else survives the process."""
        chat = await new_chat(backend, Script([say("a", "b", "c", "d", pause=0.06)]))
        seen = ""

        async for chunk in chat.stream("Go"):
            seen += chunk.text
            stored = await journal_of(backend, chat)
            answered = (await chat.messages())[-1]
            assert stored.startswith(seen) or answered.text.startswith(seen)

        assert await journal_of(backend, chat) == "", "the journal is empty once the run has ended"

    async def test_two_sends_at_once_are_one_run_and_one_refusal(self, backend: Backend) -> None:
        gate = asyncio.Event()
        chat = await new_chat(backend, Script([meet(gate.wait), say("one")]))
        twin = await load(backend, chat, Script([say("two")]))
        first = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_messages(chat))

        with pytest.raises(ChatBusy) as refusal:
            await twin.ask("second")
        gate.set()
        reply = await first

        assert refusal.value.run_id == reply.run_id
        assert [message.text for message in await chat.messages()] == ["first", "one"]

    async def test_many_sends_at_once_never_interleave(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        twins = [await load(backend, chat, Script([say(f"{n}", pause=0.05)])) for n in range(8)]

        ends = await asyncio.gather(
            *(twin.ask(f"{n}?") for n, twin in enumerate(twins)), return_exceptions=True
        )

        answered = [end for end in ends if not isinstance(end, BaseException)]
        assert answered
        assert all(isinstance(end, ChatBusy) for end in ends if end not in answered)
        texts = [message.text for message in await chat.messages(limit=99)]
        assert texts == [
            text for n in range(0, len(texts), 2) for text in (f"{texts[n + 1]}?", texts[n + 1])
        ]
