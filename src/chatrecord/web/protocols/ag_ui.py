"""AG-UI events, before and since version 1.0: what CopilotKit and other AG-UI clients read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chatrecord.records import Attached, Chunk, Json, ProviderCall, Source, ToolCall, ToolInput
from chatrecord.web.bodies import identifier, invalid, needed_id, optional_text, text_field
from chatrecord.web.client_messages import (
    LONGEST_TEXT,
    ClientMessage,
    Decision,
    Decisions,
    Listed,
    Question,
    checked_words,
    earlier_ids,
    last_answer_id,
    metadata_of,
    refuse_page_results,
    refuse_page_tools,
)
from chatrecord.web.json_bytes import HEADERS, as_bytes, frame, quoted, text_of
from chatrecord.web.uploads import MOST, Upload, attachment, from_base64, upload_of

from .encoder import (
    FAILED_CALL,
    Ending,
    Opening,
    file_json,
    source_json,
    why_without_result,
)

KNOWS_CANCELLED = (1, 0)
"""The first version with `outcome: cancelled`. Clients before 1.0 state none, and fail on it."""

LONGEST_RUN_ID = 200
"""Characters of a client's id of a run: it is part of an idempotency key."""

_APPROVAL: Json = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}
"""What answers an interrupt: the payload of its resume entry."""

_OPENED = {
    "text": {"type": "TEXT_MESSAGE_START", "role": "assistant"},
    "reasoning": {"type": "REASONING_MESSAGE_START", "role": "reasoning"},
}
_CONTENT = {"text": "TEXT_MESSAGE_CONTENT", "reasoning": "REASONING_MESSAGE_CONTENT"}
_CLOSED = {"text": "TEXT_MESSAGE_END", "reasoning": "REASONING_MESSAGE_END"}


class AGUIEncoder:
    """One run: each answer in it is a message, whose id is that of its row."""

    headers: Mapping[str, str] = HEADERS

    def __init__(
        self,
        run_id: str | None = None,
        thread_id: str | None = None,
        *,
        release: tuple[int, ...] = (),
    ) -> None:
        """All are the client's: its ids of run and chat, and its version of the protocol."""
        self._knows_cancelled = release >= KNOWS_CANCELLED
        ids = {"threadId": thread_id, "runId": run_id}
        self._run: dict[str, Json] = {key: value for key, value in ids.items() if value is not None}
        self._out: list[str] = []
        self._open: tuple[str, UUID] | None = None
        self._said: list[str] = []
        self._announced: set[tuple[UUID, str]] = set()
        self._arriving: dict[tuple[UUID, str], str] = {}
        self._output: Json = None
        self._files: str | None = None

    def start(self, opening: Opening) -> bytes:
        """The run begins, under the id that the client has given it."""
        self._files = opening.files
        if opening.seen is not None:
            answer = opening.seen.message_id
            self._announced = {(answer, call_id) for call_id in opening.seen.call_ids}
        self._run = {"threadId": str(opening.chat_id), "runId": str(opening.run_id), **self._run}
        self._write({"type": "RUN_STARTED", **self._run, "metadata": opening.metadata()})
        return self._drained()

    def add(self, chunks: Sequence[Chunk]) -> bytes:
        """Pieces of one message that come together are one delta."""
        before = self._output
        for chunk in chunks:
            self._add(chunk)
        self._flush()
        if self._output is not before:  # of those that come together the last says it all
            self._write({"type": "STATE_DELTA", "delta": [_set_output(self._output)]})
        return self._drained()

    def _add(self, chunk: Chunk) -> None:
        self._end_arriving(but=chunk.message_id)
        match chunk:
            case Chunk(kind="restart"):
                self._end_arriving()
                self._close()
                self._custom("restart", {"messageId": str(chunk.message_id)})
            case Chunk(tool_call=ToolCall() as call):
                self._tell(chunk, call)
            case Chunk(provider_call=ProviderCall() as own):
                self._tell_of_provider(chunk, own)
            case Chunk(kind="tool_input", tool_input=ToolInput() as called):
                self._show_input(chunk.message_id, called, chunk.delta)
            case Chunk(source=Source() as source):
                self._custom("source", {"messageId": str(chunk.message_id), **source_json(source)})
            case Chunk(file=Attached() as file):
                known = file_json(file, self._files)
                if known is not None:
                    self._custom("file", {"messageId": str(chunk.message_id), **known})
            case Chunk(kind="output"):
                self._output = chunk.output
            case _:
                self._say(chunk)

    def end(self, ending: Ending) -> bytes:
        """The run completed, failed, was stopped, or waits for approval of tools."""
        self._close()
        for call in ending.waiting:
            self._end_arriving(but=call.message_id)
            self._announce(call)
        self._end_arriving()
        problem = ending.problem
        if problem is not None:
            event = {"type": "RUN_ERROR", "message": problem.message, "code": problem.code}
            self._write({**event, "metadata": ending.metadata()})
            return self._drained()
        finished = {"type": "RUN_FINISHED", **self._run, "metadata": ending.metadata()}
        if self._output is not None and ending.status == "complete":
            finished["result"] = self._output
        if ending.waiting:
            finished["outcome"] = {
                "type": "interrupt",
                "interrupts": [_interrupt(call) for call in ending.waiting],
            }
        elif ending.status == "interrupted" and self._knows_cancelled:
            finished["outcome"] = {"type": "cancelled"}
        self._write(finished)
        return self._drained()

    def title(self, title: str) -> bytes:
        """The chat has got a title."""
        self._close()
        self._write({"type": "CUSTOM", "name": "title", "value": {"title": title}})
        return self._drained()

    def _end_arriving(self, but: UUID | None = None) -> None:
        """End the calls whose arguments have broken off, in answers before this one."""
        broken = [call for call in self._arriving if call[0] != but]
        for call in broken:
            self._write({"type": "TOOL_CALL_END", "toolCallId": self._arriving.pop(call)})

    def _say(self, chunk: Chunk) -> None:
        part = (chunk.kind, chunk.message_id)
        if self._open != part:
            self._close()
            self._open = part
            if chunk.kind == "reasoning":
                self._write({"type": "REASONING_START", "messageId": self._id})
            self._write({**_OPENED[chunk.kind], "messageId": self._id})
        self._said.append(chunk.text or chunk.reasoning)

    def _tell(self, chunk: Chunk, call: ToolCall) -> None:
        self._close()
        self._announce(call)
        if chunk.kind == "tool_result":
            self._write(
                {
                    "type": "TOOL_CALL_RESULT",
                    "messageId": str(call.id),
                    "toolCallId": call.call_id,
                    "content": result_content(call),
                    "role": "tool",
                }
            )

    def _announce(self, call: ToolCall) -> None:
        if (call.message_id, call.call_id) in self._announced:
            return
        self._announced.add((call.message_id, call.call_id))
        if self._arriving.pop((call.message_id, call.call_id), None) is None:
            self._start_call(call.message_id, call.call_id, call.name)
            self._give(call.call_id, text_of(call.arguments))
        self._write({"type": "TOOL_CALL_END", "toolCallId": call.call_id})

    def _start_call(self, message_id: UUID, call_id: str, name: str) -> None:
        parent = {"toolCallName": name, "parentMessageId": str(message_id)}
        self._write({"type": "TOOL_CALL_START", "toolCallId": call_id, **parent})

    def _give(self, call_id: str, delta: str) -> None:
        self._write({"type": "TOOL_CALL_ARGS", "toolCallId": call_id, "delta": delta})

    def _show_input(self, message_id: UUID, called: ToolInput, delta: str) -> None:
        """Arguments that are still arriving."""
        call = (message_id, called.call_id)
        if call in self._announced:
            return
        self._close()
        if call not in self._arriving:
            self._arriving[call] = called.call_id
            self._start_call(message_id, called.call_id, called.name)
        self._give(called.call_id, delta)

    def _tell_of_provider(self, chunk: Chunk, call: ProviderCall) -> None:
        """A call that the provider runs, or its result."""
        self._close()
        if (chunk.message_id, call.call_id) not in self._announced:
            self._announced.add((chunk.message_id, call.call_id))
            self._start_call(chunk.message_id, call.call_id, call.name)
            self._give(call.call_id, text_of(call.arguments))
            self._write({"type": "TOOL_CALL_END", "toolCallId": call.call_id})
        if chunk.kind == "provider_result":
            self._write(
                {
                    "type": "TOOL_CALL_RESULT",
                    "messageId": provider_result_id(chunk.message_id, call),
                    "toolCallId": call.call_id,
                    "content": provider_result_content(call),
                    "role": "tool",
                }
            )

    def _custom(self, name: str, value: Mapping[str, Json]) -> None:
        self._write({"type": "CUSTOM", "name": name, "value": {**value}})

    @property
    def _id(self) -> str:
        """The id of the open message. Reasoning is a separate message."""
        assert self._open is not None
        kind, message_id = self._open
        return f"{message_id}-reasoning" if kind == "reasoning" else str(message_id)

    def _close(self) -> None:
        self._flush()
        if self._open is None:
            return
        kind, _ = self._open
        self._write({"type": _CLOSED[kind], "messageId": self._id})
        if kind == "reasoning":
            self._write({"type": "REASONING_END", "messageId": self._id})
        self._open = None

    def _flush(self) -> None:
        said = "".join(self._said)
        self._said.clear()
        if said:
            assert self._open is not None
            kind = _CONTENT[self._open[0]]
            self._out.append(
                f'data: {{"type":"{kind}","messageId":"{self._id}","delta":{quoted(said)}}}\n\n'
            )

    def _write(self, event: Mapping[str, object]) -> None:
        self._out.append(frame(event))

    def _drained(self) -> bytes:
        out = "".join(self._out)
        self._out.clear()
        return as_bytes(out)


def is_run_input(body: Mapping[str, object]) -> bool:
    """Whether this is the body of an AG-UI client."""
    return "threadId" in body and "runId" in body


def parse_run_input(body: dict[str, object], *, is_whole: bool = False) -> ClientMessage:
    """What an AG-UI client asks for. Of `messages` only the last counts, and the ids of others."""
    if body.get("resume"):
        return Decisions(tuple(_decision(entry) for entry in _objects(body, "resume")))
    if body.get("tools"):
        refuse_page_tools([tool.get("name") for tool in _objects(body, "tools")])
    messages = _objects(body, "messages")
    if messages and messages[-1].get("role") == "tool":
        refuse_page_results([messages[-1].get("toolCallId")])
    if not messages or messages[-1].get("role") != "user":
        raise invalid("The last message has to be a user's.")
    question, run_id = _question(messages[-1]), text_field(body, "runId", longest=LONGEST_RUN_ID)
    return Listed(question, earlier_ids(messages), last_answer_id(messages), run_id, is_whole)


def _question(message: dict[str, object]) -> Question:
    content = message.get("content")
    parts = _objects(message, "content") if not isinstance(content, str) else []
    said = [text_field(part, "text", longest=LONGEST_TEXT) for part in parts if _is_text(part)]
    text = content if isinstance(content, str) else "\n".join(said)
    files = tuple(_file(part) for part in parts if not _is_text(part))
    if len(files) > MOST:
        raise invalid(f"A message has at most {MOST} files.")
    words = checked_words(text, files)
    return Question(words, identifier(message, "id"), files, metadata_of(message))


def _is_text(part: dict[str, object]) -> bool:
    return part.get("type") == "text"


def _file(part: dict[str, object]) -> Upload:
    """A file: `binary` before 1.0, since then of a kind such as `image`, with a `source`."""
    if part.get("type") == "binary":
        kind: object = "url" if part.get("data") is None else "data"
        value, media_type, name = part.get(str(kind)), part.get("mimeType"), part.get("filename")
    else:
        found, about = part.get("source"), part.get("metadata")
        source = found if isinstance(found, dict) else {}
        kind, value, media_type = source.get("type"), source.get("value"), source.get("mimeType")
        name = about.get("filename") if isinstance(about, dict) else part.get("filename")
    named = optional_text({"filename": name}, "filename")
    if not isinstance(value, str) or kind not in ("data", "url"):
        raise invalid("A file part needs its 'source', with the file as its 'value'.")
    if kind == "url":
        return upload_of({"url": value, "mediaType": media_type, "filename": named})
    return attachment(from_base64(value), media_type, named)


def _decision(entry: dict[str, object]) -> Decision:
    call_id = needed_id(entry, "interruptId")
    if entry.get("status") == "cancelled":
        return Decision(call_id, approved=False, reason=None)
    payload = entry.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("approved"), bool):
        raise invalid("A resume entry needs its 'payload', with 'approved' true or false.")
    reason = optional_text(payload, "reason", longest=2_000)
    return Decision(call_id, payload["approved"], reason)


def _objects(body: dict[str, object], name: str) -> list[dict[str, object]]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise invalid(f"{name!r} has to be a list of objects.")
    return found


def provider_result_id(message_id: UUID, call: ProviderCall) -> str:
    """The id of the message that has the result of a call that the provider has run."""
    return f"{message_id}-{call.call_id}"


def provider_result_content(call: ProviderCall) -> str:
    """The result of a call that the provider has run, as text."""
    if call.status == "failed":
        return FAILED_CALL
    return call.result if isinstance(call.result, str) else text_of(call.result)


def _set_output(output: Json) -> dict[str, Json]:
    """A change of the client's state: its `output` is this."""
    return {"op": "add", "path": "/output", "value": output}


def _interrupt(call: ToolCall) -> dict[str, Json]:
    return {
        "id": call.call_id,
        "reason": "tool_call",
        "toolCallId": call.call_id,
        "message": f"May {call.name} be run?",
        "responseSchema": _APPROVAL,
    }


def result_content(call: ToolCall) -> str:
    """The text of a call's result, or why it has none."""
    if call.status != "complete":
        return why_without_result(call)
    return call.result if isinstance(call.result, str) else text_of(call.result)
