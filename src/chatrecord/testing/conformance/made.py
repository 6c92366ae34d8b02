"""Typed output, arguments, the provider's own tools, sources and files: as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai import messages as pydantic_ai_messages
from pydantic_ai.messages import (
    BinaryContent,
    FilePart,
    ModelMessage,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from chatrecord.errors import RunError
from chatrecord.hooks import MaskPersonalData
from chatrecord.records import Chunk, Source
from chatrecord.runs.chunks import LONGEST_PIECE
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat, text_of, until
from chatrecord.testing.script import Event, Script, call, fail, meet, say

from .shared import PARSABLE, add, kinds_of, read
from .typed import Invoice

PICTURE = BinaryContent(b"\x89PNG\r\n\x1a\n picture", media_type="image/png")
KNOWS_CITATIONS = "citations" in {field.name for field in fields(TextPart)}
"""Whether this version of pydantic-ai does."""
PAUSE = 0.12


def slowly(name: str, *arguments: str, gate: asyncio.Event | None = None) -> Event:
    """A call whose arguments arrive in these pieces, the last of them behind a gate."""

    async def happen(place: int) -> AsyncIterator[Any]:
        yield {place: DeltaToolCall(name=name, json_args="", tool_call_id="c1")}
        for piece in arguments:
            await asyncio.sleep(PAUSE)
            if gate is not None and piece is arguments[-1]:
                await gate.wait()
            yield {place: DeltaToolCall(json_args=piece)}

    return happen


def searching(result: Any) -> list[Event]:
    """A search of the provider's, and its result."""

    async def ask(place: int) -> AsyncIterator[Any]:
        yield {place: NativeToolCallPart("web_search", {"query": "Rome"}, "s1")}

    async def find(place: int) -> AsyncIterator[Any]:
        yield {place: NativeToolReturnPart("web_search", result, "s1")}

    return [ask, find]


def outputs(chunks: list[Chunk]) -> list[Any]:
    return [chunk.output for chunk in chunks if chunk.kind == "output"]


class WhatAModelMakesIsStreamed:
    """Typed output, arguments, the provider's own tools, sources and files."""

    async def test_a_typed_output_arrives_piece_by_piece(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        pieces = ('{"number": "A', '-1", "to', 'tal": 1', "2}")
        gate = asyncio.Event()
        script = Script([slowly("final_result", *pieces, gate=gate)])
        agent = Agent(script, output_type=Invoice)
        chat = await new_chat(backend, agent)
        stream = chat.stream("The invoice?")
        async with stream:
            await stream.begun()
            twin = await load(elsewhere, chat, agent)
            following = twin.follow()
            first = await anext(following)
            gate.set()
            chunks, elsewhere_seen = await read(stream), [first, *await read(following)]

        whole = {"number": "A-1", "total": 12}
        seen = outputs(chunks)
        assert seen[0] == {"number": "A"}
        assert len(seen) > 2
        assert seen[-1] == whole
        assert "".join(chunk.delta for chunk in chunks) == "".join(pieces)
        output: object = stream.reply.output
        assert output == Invoice(number="A-1", total=12)
        assert stream.reply.text == ""
        assert first.output == {"number": "A"}
        assert outputs(elsewhere_seen)[-1] == whole
        assert outputs(await read(twin.follow())) == [whole]

    async def test_an_output_that_is_no_object_is_itself(self, backend: Backend) -> None:
        agent = Agent(Script([call("final_result", response=["a", "b"])]), output_type=list[str])
        chat = await new_chat(backend, agent)

        for stream in (chat.stream("Which?"), chat.follow()):
            assert outputs(await read(stream))[-1] == ["a", "b"]

    async def test_an_output_is_streamed_after_a_failure_and_again(self, backend: Backend) -> None:
        """By whoever resumes, regenerates and edits."""

        def answer(total: int) -> list[Event]:
            return [call("final_result", number="A-1", total=total)]

        script = Script([say("Hm"), fail(ConnectionError("gone"))], *map(answer, (1, 2, 3)))
        chat = await new_chat(backend, Agent(script, output_type=Invoice), retries=0)
        with pytest.raises(RunError):
            await chat.ask("The invoice?")

        seen = [outputs(await read(chat.resume()))[-1], outputs(await read(chat.regenerate()))[-1]]
        question = next(it for it in reversed(await chat.messages()) if it.role == "user")
        seen.append(outputs(await read(chat.edit(question.id, "This invoice?")))[-1])

        assert [each["total"] for each in seen] == [1, 2, 3]
        assert outputs(await read(chat.follow())) == [{"number": "A-1", "total": 3}]

    async def test_arguments_are_shown_while_they_arrive(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        pieces = ('{"a": ', '1, "b"', ": 2}")
        gate = asyncio.Event()
        script = Script([slowly("add", *pieces, gate=gate)], [say("3")])
        chat = await new_chat(backend, script, tools=[add])
        stream = chat.stream("1 + 2?")
        async with stream:
            await stream.begun()
            twin = await load(elsewhere, chat, Script())
            following = twin.follow()
            first = await anext(following)
            gate.set()
            chunks, elsewhere_seen = await read(stream), [first, *await read(following)]

        assert kinds_of(chunks) == ["tool_call", "tool_result", "text"]
        for seen in (chunks, elsewhere_seen):
            arriving = [chunk for chunk in seen if chunk.kind == "tool_input"]
            assert len(arriving) > 1
            assert json.loads("".join(chunk.delta for chunk in arriving)) == {"a": 1, "b": 2}
            called = {chunk.tool_input for chunk in arriving}
            assert [(each.call_id, each.name) for each in called if each] == [("c1", "add")]
            assert [chunk.kind for chunk in seen].index("tool_call") > seen.index(arriving[-1])

    @pytest.mark.parametrize("size", [1, LONGEST_PIECE + 1])
    async def test_a_search_of_the_provider_is_shown_in_its_place(
        self, backend: Backend, elsewhere: Backend, size: int
    ) -> None:
        """A result that is too large for the journal comes when the answer is stored."""
        result, gate = {"found": "x" * size, "text": PARSABLE}, asyncio.Event()
        ask, find = searching(result)
        chat = await new_chat(backend, Script([ask, meet(gate.wait), find, say("Sunny.")]))
        twin = await load(elsewhere, chat, Script())
        stream = chat.stream("How is it?")
        async with stream:
            await stream.begun()
            following = twin.follow()
            for reader in (stream, following):
                first = await anext(reader)
                own = first.provider_call
                assert own is not None
                assert (own.name, own.arguments, own.status) == (
                    "web_search", {"query": "Rome"}, "running",
                )  # fmt: skip
            gate.set()
            chunks, elsewhere_seen = await read(stream), await read(following)

        for seen in (chunks, elsewhere_seen):
            assert sorted(chunk.kind for chunk in seen) == ["provider_result", "text"]
            (own,) = (chunk.provider_call for chunk in seen if chunk.provider_call)
            assert (own.call_id, own.status, own.result) == ("s1", "complete", result)
        ended = await read(twin.follow())
        assert [chunk.kind for chunk in ended] == ["provider_call", "provider_result", "text"]

    async def test_files_and_sources_come_with_the_answer(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, FunctionModel(drawn))
        chunks: list[Chunk] = []
        async for chunk in chat.stream("Draw Rome"):
            chunks.append(chunk)
            if chunk.file is not None:
                assert chunk.file.hash is not None
                kept = await chat.attachment(chunk.file.hash)
                assert (kept.data, chunk.file.media_type) == (PICTURE.data, "image/png")
        followed = await read((await load(elsewhere, chat, Script())).follow())

        for seen in (chunks, followed):
            assert text_of(seen) == "A map,\n\n see there."
            assert [chunk.file for chunk in seen if chunk.file] == [chunks[-1].file]
            if KNOWS_CITATIONS:
                (source,) = (chunk.source for chunk in seen if chunk.source)
                assert source == Source("https://example.com/rome", "Rome")

    async def test_arguments_that_a_hook_masks_are_in_no_piece(self, backend: Backend) -> None:
        """Not in the journal, which is a table like others."""
        mail, gate = "ann@example.com", asyncio.Event()
        script = Script([slowly("write", '{"to": "ann@ex', 'ample.com"}'), meet(gate.wait)])
        script.then([say("Done.")])

        async def write(to: str) -> str:
            return to

        hooks = [MaskPersonalData(rows="mask")]
        chat = await new_chat(backend, script, tools=[write], hooks=hooks)
        stream = chat.stream("Write to her")
        async with stream:
            chunks = asyncio.create_task(read(stream))
            await until(lambda: _called(script))
            await asyncio.sleep(4 * PAUSE)
            message = (await chat.messages())[-1]
            journal = await backend.store.journal(message.id, after=-1)
            gate.set()
            arrived = "".join(chunk.delta for chunk in await chunks)

        assert "ann" not in str([entry.payload for entry in journal])
        assert mail not in arrived
        assert json.loads(arrived)["to"].startswith("[")


async def _called(script: Script) -> bool:
    return bool(script.requests)


def drawn(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """A picture, and a text with its source."""
    cited: dict[str, Any] = {}
    if KNOWS_CITATIONS:
        web = pydantic_ai_messages.WebCitationSource("https://example.com/rome", title="Rome")
        cited = {"citations": [pydantic_ai_messages.Citation([web])] * 2}
    return ModelResponse([TextPart("A map,", **cited), FilePart(PICTURE), TextPart(" see there.")])
