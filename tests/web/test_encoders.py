"""What the encoders write, against the models that others have made of the same protocols."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from ag_ui.core import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_ai.ui.vercel_ai import response_types

from chatrecord.web import AGUIEncoder, AISDKEncoder, Encoder, SSEEncoder, Version

from .runs import CHAT, OPENING, QUESTION, RUN, Told, batches, runs

CHUNKS = {
    kind.model_fields["type"].default: kind
    for kind in vars(response_types).values()
    if isinstance(kind, type)
    and issubclass(kind, response_types.BaseChunk)
    and isinstance(kind.model_fields.get("type") and kind.model_fields["type"].default, str)
}
"""pydantic-ai's model of each chunk of version 6."""

ONLY_SINCE_6 = {"tool-approval-request", "tool-output-denied"}

AG_UI_EVENT: TypeAdapter[Any] = TypeAdapter(Event)


def encoded(encoder: Encoder, told: Told, arriving: Sequence[Sequence[Any]]) -> str:
    said = encoder.start(OPENING)
    said += b"".join(encoder.add(chunks) for chunks in arriving)
    return (said + encoder.end(told.ending)).decode("utf-8")


def frames(stream: str) -> list[str]:
    assert stream.endswith("\n\n")
    told = stream.split("\n\n")[:-1]
    assert all(frame.startswith("data: ") and "\n" not in frame for frame in told)
    return [frame.removeprefix("data: ") for frame in told]


def readable(text: str) -> str:
    """As a page has it: two surrogates beside each other are one character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class Page:
    """A client that minds every rule of the AI SDK's."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[str, str]] = {}
        self.text = self.reasoning = ""
        self.calls: dict[str, str] = {}
        self.arriving: set[str] = set()
        self.made: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.is_over = self.in_step = False

    def read(self, chunk: dict[str, Any]) -> None:
        assert not self.is_over
        kind = chunk["type"]
        self.metadata |= chunk.get("messageMetadata", {})
        if kind in ("text-start", "reasoning-start"):
            assert self.in_step
            assert not self.parts
            self.parts[chunk["id"]] = (kind.removesuffix("-start"), "")
        elif kind in ("text-delta", "reasoning-delta"):
            self._say(self.parts[chunk["id"]][0], chunk["delta"])
            assert kind.startswith(self.parts[chunk["id"]][0])
        elif kind in ("text-end", "reasoning-end"):
            del self.parts[chunk["id"]]
        elif kind.startswith("tool-"):
            assert self.in_step
            self._call(kind, chunk["toolCallId"])
        elif kind in ("file", "source-url", "source-document", "data-output"):
            assert self.in_step
            self.made[kind] = chunk
        elif kind in ("start-step", "finish-step"):
            self.arriving.clear()
            assert not self.parts
            assert self.in_step == (kind == "finish-step")
            self.in_step = not self.in_step
        self.is_over = kind == "finish"

    def _call(self, kind: str, call_id: str) -> None:
        if kind == "tool-input-start":
            assert call_id not in self.arriving
            self.arriving.add(call_id)
        elif kind == "tool-input-delta":
            assert call_id in self.arriving
        elif kind == "tool-input-available":
            self.arriving.discard(call_id)
            self.calls[call_id] = kind
        elif call_id in self.arriving:
            assert kind == "tool-output-error"
            self.arriving.remove(call_id)
        else:
            assert self.calls[call_id] == "tool-input-available"
            self.calls[call_id] = kind

    def _say(self, kind: str, said: str) -> None:
        if kind == "text":
            self.text += said
        else:
            self.reasoning += said


@pytest.mark.parametrize("version", get_args(Version))
@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_the_ai_sdk_stream_keeps_the_rules_of_its_client(
    version: Version, data: st.DataObject
) -> None:
    told = data.draw(runs())
    release = data.draw(st.sampled_from([(), (version,), (version, 0, 148), (version, 0, 149)]))
    encoder = AISDKEncoder(version, release=release)
    stream = encoded(encoder, told, data.draw(batches(told.chunks)))
    *chunks, done = frames(stream)
    assert done == "[DONE]"
    page = Page()
    for chunk in map(json.loads, chunks):
        page.read(chunk)
        if chunk.get("finishReason") == "interrupted":
            assert release == (7, 0, 149)
            chunk["finishReason"] = "other"
        is_data = chunk["type"].startswith("data-")
        kind: Any = response_types.DataChunk if is_data else CHUNKS[chunk["type"]]
        known = kind.model_validate(_escaped(chunk))
        assert set(chunk) <= {*known.model_dump(by_alias=True)}
        assert [key for key, value in chunk.items() if value is None] in ([], ["input"], ["output"])
        assert version > 5 or chunk["type"] not in ONLY_SINCE_6
    assert page.is_over
    assert (page.text, page.reasoning) == (readable(told.text), readable(told.reasoning))
    assert page.metadata["runId"] == str(RUN)
    assert page.metadata["questionId"] == str(QUESTION)
    assert page.metadata["status"] == told.ending.status
    assert ('"type":"error"' in stream) == (told.ending.problem is not None)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_how_chunks_arrive_makes_no_difference(data: st.DataObject) -> None:
    """A replay that comes in one piece shows what the live stream has shown."""
    told = data.draw(runs())
    pages = []
    for arriving in ([told.chunks], data.draw(batches(told.chunks))):
        page = Page()
        for chunk in frames(encoded(AISDKEncoder(6), told, arriving))[:-1]:
            page.read(json.loads(chunk))
        pages.append((page.text, page.reasoning, page.calls, page.metadata))
    assert pages[0] == pages[1]


class Reader:
    """A client that minds the rules of AG-UI."""

    def __init__(self) -> None:
        self.open: set[tuple[str, str]] = set()
        self.calls: set[str] = set()
        self.text = self.reasoning = ""
        self.is_over = False

    def read(self, event: dict[str, Any]) -> None:
        assert not self.is_over
        kind = event["type"]
        if kind.endswith("_START") or kind == "RUN_STARTED":
            self._opened(kind, event)
        elif kind.endswith(("_CONTENT", "_ARGS")):
            self._read_content(kind, event)
        elif kind.endswith("_END"):
            self.open.remove((kind.removesuffix("_END"), _id_of(event)))
        elif kind == "TOOL_CALL_RESULT":
            assert event["toolCallId"] in self.calls
        elif kind == "CUSTOM":
            assert event["name"] in ("source", "file")
        elif kind == "STATE_DELTA":
            (change,) = event["delta"]
            assert (change["op"], change["path"]) == ("add", "/output")
        else:
            assert kind in ("RUN_FINISHED", "RUN_ERROR")
            assert not self.open
            self.is_over = True

    def _opened(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "RUN_STARTED":
            return
        this = (kind.removesuffix("_START"), _id_of(event))
        assert this not in self.open
        self.open.add(this)
        if "toolCallId" in event:
            self.calls.add(event["toolCallId"])

    def _read_content(self, kind: str, event: dict[str, Any]) -> None:
        assert event["delta"]
        sort = kind.removesuffix("_CONTENT").removesuffix("_ARGS")
        assert (sort, _id_of(event)) in self.open
        if sort == "TEXT_MESSAGE":
            self.text += event["delta"]
        elif sort == "REASONING_MESSAGE":
            self.reasoning += event["delta"]


def _id_of(event: dict[str, Any]) -> str:
    return str(event.get("messageId") or event["toolCallId"])


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_the_ag_ui_stream_keeps_the_rules_of_its_clients(data: st.DataObject) -> None:
    told = data.draw(runs())
    reader = Reader()
    release = data.draw(st.sampled_from([(), (1, 0), (1, 2)]))
    encoder = AGUIEncoder("run-1", release=release)
    stream = encoded(encoder, told, data.draw(batches(told.chunks)))
    assert release or '"cancelled"' not in stream
    for event in map(json.loads, frames(stream)):
        known = AG_UI_EVENT.validate_python(_escaped(event))
        assert None not in event.values()
        assert set(event) <= {*known.model_dump(by_alias=True), "metadata"}
        assert event.get("runId", "run-1") == "run-1"
        assert event.get("threadId", str(CHAT)) == str(CHAT)
        reader.read(event)
    assert reader.is_over
    assert (reader.text, reader.reasoning) == (readable(told.text), readable(told.reasoning))


def _escaped(value: Any) -> Any:
    """Pydantic takes no lone surrogates, which JSON may hold."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_plain_events_hold_everything(data: st.DataObject) -> None:
    told = data.draw(runs())
    stream = encoded(SSEEncoder(), told, data.draw(batches(told.chunks)))
    events = []
    for event in stream.split("\n\n")[:-1]:
        name, _, rest = event.partition("\n")
        events.append((name.removeprefix("event: "), json.loads(rest.removeprefix("data: "))))
    said = {
        kind: "".join(data["text"] for name, data in events if name == kind)
        for kind in ("text", "reasoning")
    }
    assert said == {"text": readable(told.text), "reasoning": readable(told.reasoning)}
    assert events[0][0] == "start"
    assert events[-1][0] == "end"
    assert events[-1][1]["status"] == told.ending.status
    results = [data["callId"] for name, data in events if name == "tool_result"]
    assert results == [
        c.tool_call.call_id for c in told.chunks if c.kind == "tool_result" and c.tool_call
    ]
