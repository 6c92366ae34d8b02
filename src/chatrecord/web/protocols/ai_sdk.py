"""The UI message stream of the AI SDK, versions 5, 6 and 7: what `useChat` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from chatrecord.records import Attached, Chunk, Json, ProviderCall, Source, ToolCall, ToolInput
from chatrecord.web.json_bytes import HEADERS, as_bytes, frame, quoted

from .encoder import FAILED_CALL, Ending, Opening, file_json, why_without_result

Version = Literal[5, 6, 7]

WITHOUT_APPROVAL: Version = 5
KNOWS_INTERRUPTED = (7, 0, 149)
"""The first release that reads `finishReason: "interrupted"`. Those before end with an error."""

KNOWS_RESET = (7, 0, 118)
"""The first release that was seen to drop what came of a step. Those before keep it as a step."""

DONE = "data: [DONE]\n\n"

_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "tool_call": "tool-calls",
    "error": "error",
}
"""Ours to theirs. Others are `other`: a reason that a client does not know kills its stream."""


class AISDKEncoder:
    """One answer as one UI message, whose id is the run's, in the live stream and in any replay."""

    headers: Mapping[str, str] = {**HEADERS, "x-vercel-ai-ui-message-stream": "v1"}

    def __init__(self, version: Version, *, release: tuple[int, ...] = ()) -> None:
        """`release` is that of the package `ai`, if the client states it: `(7, 0, 173)`."""
        self._version = version
        self._knows_reset = release >= KNOWS_RESET
        self._interrupted = "interrupted" if release >= KNOWS_INTERRUPTED else "other"
        self._out: list[str] = []
        self._step: UUID | None = None
        self._announced: set[str] = set()
        self._part: str | None = None
        self._parts = 0
        self._said: list[str] = []
        self._arriving: set[str] = set()
        self._sources: set[str] = set()
        self._output: Json = None
        self._files: str | None = None

    def start(self, opening: Opening) -> bytes:
        """The message starts, or continues after the part that the client has."""
        self._files = opening.files
        if opening.seen is not None:
            self._step = opening.seen.message_id
            self._announced = set(opening.seen.call_ids)
        self._write(
            {
                "type": "start",
                "messageId": str(opening.run_id),
                "messageMetadata": opening.metadata(),
            }
        )
        return self._drained()

    def add(self, chunks: Sequence[Chunk]) -> bytes:
        """Pieces of one part that come together are one delta."""
        for chunk in chunks:
            if chunk.kind == "restart":
                self._restart(chunk.message_id)
                continue
            self._enter(chunk.message_id)
            self._add(chunk)
        self._flush()
        if self._output is not None:  # of those that come together the last says it all
            self._write({**output_part(self._output)})
            self._output = None
        return self._drained()

    def _add(self, chunk: Chunk) -> None:
        match chunk:
            case Chunk(tool_call=ToolCall() as call):
                self._tell(chunk, call)
            case Chunk(provider_call=ProviderCall() as own):
                self._tell_of_provider(chunk, own)
            case Chunk(kind="tool_input", tool_input=ToolInput() as called):
                self._show_input(called, chunk.delta)
            case Chunk(source=Source() as source):
                part = source_part(source)
                if part["sourceId"] not in self._sources:
                    self._sources.add(str(part["sourceId"]))
                    self._write({**part})
            case Chunk(file=Attached() as file):
                known = file_json(file, self._files)
                if known is not None:
                    known.pop("filename", None)  # which a file in a stream has not
                    self._write({"type": "file", **known})
            case Chunk(kind="output"):
                self._output = chunk.output
            case _:
                self._say(chunk)

    def end(self, ending: Ending) -> bytes:
        """Whatever happened: a client takes a stream without an ending for a whole answer."""
        for call in ending.waiting:
            self._enter(call.message_id)
            self._ask(call)
        self._close_step()
        metadata = ending.metadata()
        if ending.problem is not None:
            # The client reads no further than an error: what it is to know comes before.
            self._write({"type": "message-metadata", "messageMetadata": metadata})
            self._write({"type": "error", "errorText": ending.problem.message})
        elif ending.status == "interrupted":
            self._write({"type": "abort"})
        self._write(
            {
                "type": "finish",
                "finishReason": self._finish_reason(ending),
                "messageMetadata": metadata,
            }
        )
        self._out.append(DONE)
        return self._drained()

    def title(self, title: str) -> bytes:
        """The chat has got a title: told to `onData`, and no part of the message."""
        self._write({"type": "data-title", "data": {"title": title}, "transient": True})
        return self._drained()

    def _finish_reason(self, ending: Ending) -> str:
        if ending.status == "failed":
            return "error"
        if ending.status == "interrupted":
            return self._interrupted
        if ending.waiting:
            return "tool-calls"
        return _FINISH_REASONS.get(ending.finish_reason or "stop", "other")

    def _say(self, chunk: Chunk) -> None:
        if self._part != chunk.kind:
            self._close_part()
            self._part = chunk.kind
            self._parts += 1
            self._write({"type": f"{chunk.kind}-start", "id": str(self._parts)})
        self._said.append(chunk.text or chunk.reasoning)

    def _tell(self, chunk: Chunk, call: ToolCall) -> None:
        self._close_part()
        self._announce(call)
        if chunk.kind == "tool_result":
            self._write(self._result(call))

    def _tell_of_provider(self, chunk: Chunk, call: ProviderCall) -> None:
        """A call that the provider runs, or its result."""
        self._close_part()
        if call.call_id not in self._announced:
            self._announced.add(call.call_id)
            self._write(
                {
                    "type": "tool-input-available",
                    "toolCallId": call.call_id,
                    "toolName": call.name,
                    "input": call.arguments,
                    "providerExecuted": True,
                }
            )
        if chunk.kind == "provider_result":
            self._write(_provider_result(call))

    def _show_input(self, called: ToolInput, delta: str) -> None:
        """Arguments that are still arriving."""
        self._close_part()
        known = {"toolCallId": called.call_id}
        if called.call_id in self._announced:
            return
        if called.call_id not in self._arriving:
            self._arriving.add(called.call_id)
            self._write({"type": "tool-input-start", **known, "toolName": called.name})
        self._write({"type": "tool-input-delta", **known, "inputTextDelta": delta})

    def _announce(self, call: ToolCall) -> None:
        """A client knows only results of calls that it got."""
        if call.call_id in self._announced:
            return
        self._announced.add(call.call_id)
        self._arriving.discard(call.call_id)
        self._write(
            {
                "type": "tool-input-available",
                "toolCallId": call.call_id,
                "toolName": call.name,
                "input": call.arguments,
            }
        )

    def _ask(self, call: ToolCall) -> None:
        self._close_part()
        self._announce(call)
        if self._version != WITHOUT_APPROVAL:
            self._write(
                {
                    "type": "tool-approval-request",
                    "approvalId": call.call_id,
                    "toolCallId": call.call_id,
                }
            )

    def _result(self, call: ToolCall) -> dict[str, object]:
        known = {"toolCallId": call.call_id}
        if call.status == "complete":
            return {"type": "tool-output-available", **known, "output": call.result}
        if call.status == "denied" and self._version != WITHOUT_APPROVAL:
            return {"type": "tool-output-denied", **known}
        return {"type": "tool-output-error", **known, "errorText": why_without_result(call)}

    def _enter(self, message_id: UUID) -> None:
        """Each answer of the run is a step."""
        if self._step != message_id:
            self._close_step()
            self._write({"type": "start-step"})
            self._step = message_id
            self._announced.clear()

    def _restart(self, message_id: UUID) -> None:
        """What has come of a step is void."""
        if self._step != message_id:
            return
        if not self._knows_reset:
            self._close_step()
            return
        self._said.clear()
        self._arriving.clear()
        self._output = self._part = self._step = None
        self._write({"type": "reset-step"})

    def _close_step(self) -> None:
        self._close_part()
        for call_id in sorted(self._arriving):  # a client would wait for the rest of it
            text = "This call was interrupted."
            self._write({"type": "tool-output-error", "toolCallId": call_id, "errorText": text})
        self._arriving.clear()
        if self._step is not None:
            self._write({"type": "finish-step"})
            self._step = None

    def _close_part(self) -> None:
        self._flush()
        if self._part is not None:
            self._write({"type": f"{self._part}-end", "id": str(self._parts)})
            self._part = None

    def _flush(self) -> None:
        if self._said:
            self._out.append(
                f'data: {{"type":"{self._part}-delta","id":"{self._parts}",'
                f'"delta":{quoted("".join(self._said))}}}\n\n'
            )
            self._said.clear()

    def _write(self, value: dict[str, object]) -> None:
        self._out.append(frame(value))

    def _drained(self) -> bytes:
        out = "".join(self._out)
        self._out.clear()
        return as_bytes(out)


def _provider_result(call: ProviderCall) -> dict[str, object]:
    known: dict[str, object] = {"toolCallId": call.call_id, "providerExecuted": True}
    if call.status == "failed":
        return {"type": "tool-output-error", **known, "errorText": FAILED_CALL}
    return {"type": "tool-output-available", **known, "output": call.result}


def output_part(output: Json) -> dict[str, Json]:
    """A typed output as a part of a UI message; a later one with its id replaces it."""
    return {"type": "data-output", "id": "output", "data": output}


def source_part(source: Source) -> dict[str, Json]:
    """A source as a part of a UI message."""
    title: dict[str, Json] = {} if source.title is None else {"title": source.title}
    if source.url is not None:
        return {"type": "source-url", "sourceId": source.url, "url": source.url, **title}
    name = source.document_id or source.title or ""
    document: dict[str, Json] = {"type": "source-document", "sourceId": name}
    return {**document, "mediaType": "application/octet-stream", "title": source.title or name}


def provider_part(call: ProviderCall) -> dict[str, Json]:
    """A call that the provider has run, as a part of a UI message."""
    part: dict[str, Json] = {"type": f"tool-{call.name}", "toolCallId": call.call_id}
    part |= {"input": call.arguments, "providerExecuted": True}
    if call.status == "failed":
        return {**part, "state": "output-error", "errorText": FAILED_CALL}
    if call.status == "complete":
        return {**part, "state": "output-available", "output": call.result}
    return {**part, "state": "input-available"}


def tool_part(call: ToolCall, version: Version) -> dict[str, Json]:
    """A tool call as a part of a UI message, in a state that this version knows."""
    part: dict[str, Json] = {"type": f"tool-{call.name}", "toolCallId": call.call_id}
    part |= {"input": call.arguments}
    if call.status == "complete":
        return {**part, "state": "output-available", "output": call.result}
    if call.status == "denied" and version != WITHOUT_APPROVAL:
        denied: dict[str, Json] = {"id": call.call_id, "approved": False}
        if call.error:
            denied["reason"] = call.error
        return {**part, "state": "output-denied", "approval": denied}
    if call.status in ("failed", "denied", "interrupted"):
        return {**part, "state": "output-error", "errorText": why_without_result(call)}
    if call.status == "awaiting_approval" and version != WITHOUT_APPROVAL:
        return {**part, "state": "approval-requested", "approval": {"id": call.call_id}}
    return {**part, "state": "input-available"}
