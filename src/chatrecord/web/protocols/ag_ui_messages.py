"""The messages of a chat as AG-UI clients hold them: under the ids that they have in the stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from uuid import UUID

from chatrecord.llm.stored_parts import stored_parts
from chatrecord.records import Json, Message, ProviderCall, Run, ToolCall
from chatrecord.store.shown_store import ShownStore
from chatrecord.web.json_bytes import text_of

from .ag_ui import provider_result_content, provider_result_id, result_content
from .ui_messages import Page, Turn, Writer, read_turns

_UNFINISHED = {"pending", "awaiting_approval", "running"}


async def read_ag_ui_page(
    store: ShownStore,
    chat_id: UUID,
    active: Run | None,
    *,
    limit: int,
    before: int | None,
    files: str,
) -> Page:
    """The last questions and answers below the number `before`, as AG-UI messages.

    An answer that is being given is left out: its stream begins with its first message.
    """
    read = await read_turns(store, chat_id, active, limit=limit, before=before)
    writer = await read.writer(store, chat_id, 6, files)
    live = active.id if active is not None and active.status != "parked" else None
    messages: list[dict[str, Json]] = []
    for turn, asked in read.with_questions():
        shown = writer.message_of(turn, asked)
        if shown is None:
            continue
        if turn.is_question:
            messages += question_messages(turn, shown)
        elif turn.run_id != live:
            messages += _answer(turn, writer, shown)
    return Page(messages, read.next)


def question_messages(turn: Turn, shown: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """A question, by what it is as a UI message."""
    parts = cast(list[dict[str, Json]], shown["parts"])
    files: list[Json] = [_file(part) for part in parts if part["type"] == "file"]
    content: Json = turn.first.text
    if files:
        words: list[Json] = [{"type": "text", "text": content}] if content else []
        content = [*words, *files]
    yield {"id": shown["id"], "role": "user", "content": content, "metadata": shown["metadata"]}


def _file(part: dict[str, Json]) -> dict[str, Json]:
    media_type = str(part["mediaType"])
    kind = media_type.partition("/")[0]
    source: dict[str, Json] = {"type": "url", "value": part["url"], "mimeType": media_type}
    named: dict[str, Json] = {}
    if "filename" in part:
        named["metadata"] = {"filename": part["filename"]}
    kind = kind if kind in ("image", "audio", "video") else "document"
    return {"type": kind, "source": source, **named}


def _answer(turn: Turn, writer: Writer, shown: dict[str, Json]) -> list[dict[str, Json]]:
    """Its messages; what is known of the whole answer is the metadata of its last own one."""
    answers = [row for row in turn.rows if row.role == "assistant"]
    messages = [message for row in answers for message in _step(row, writer.calls.get(row.id, ()))]
    own = [message for message in messages if message["role"] == "assistant"]
    if not own:
        own = [{"id": str(answers[-1].id), "role": "assistant", "content": ""}]
        messages += own
    metadata = cast(dict[str, Json], shown["metadata"])
    own[-1]["metadata"] = {**metadata, **_made(cast(list[dict[str, Json]], shown["parts"]))}
    return messages


def _made(parts: list[dict[str, Json]]) -> dict[str, Json]:
    """What AG-UI's messages have no place for: typed output, sources and files."""
    left_out = ("type", "sourceId")
    about: dict[str, list[Json]] = {"sources": [], "files": []}
    found: dict[str, Json] = {}
    for part in parts:
        kind = str(part["type"])
        if kind == "data-output":
            found["output"] = part["data"]
        elif kind == "file" or kind.startswith("source-"):
            known: Json = {name: value for name, value in part.items() if name not in left_out}
            about["files" if kind == "file" else "sources"].append(known)
    return {**found, **{name: listed for name, listed in about.items() if listed}}


def _step(row: Message, calls: list[ToolCall] | tuple[()]) -> Iterator[dict[str, Json]]:
    if row.reasoning:
        yield {"id": f"{row.id}-reasoning", "role": "reasoning", "content": row.reasoning}
    made = [part for part in stored_parts(row) if part.provider_call is not None]
    own = [part.provider_call for part in made if part.provider_call is not None]
    begun: list[Json] = [_called(call) for call in own if call.status == "running"]
    begun += [_called(call) for call in calls]
    if row.text or begun:
        message: dict[str, Json] = {"id": str(row.id), "role": "assistant"}
        message |= {"content": row.text} if row.text else {}
        message |= {"toolCalls": begun} if begun else {}
        yield message
    for ended in own:
        if ended.status != "running":
            told: dict[str, Json] = {
                "toolCallId": ended.call_id, "content": provider_result_content(ended)
            }  # fmt: skip
            yield {"id": provider_result_id(row.id, ended), "role": "tool", **told}
    for call in calls:
        if call.status not in _UNFINISHED:
            result = {"toolCallId": call.call_id, "content": result_content(call)}
            yield {"id": str(call.id), "role": "tool", **result}


def _called(call: ToolCall | ProviderCall) -> dict[str, Json]:
    function: dict[str, Json] = {"name": call.name, "arguments": text_of(call.arguments)}
    return {"id": call.call_id, "type": "function", "function": function}
