"""What an answer is made of, as its stored content tells it: for readers without an LLM library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatrecord.attached import attached_in
from chatrecord.records import Json, Message, ProviderCall, Source
from chatrecord.text.partial_json import partial_json

from .pieces import Piece, spaced
from .stored_part import StoredPart


def stored_parts(message: Message) -> list[StoredPart]:
    """The parts of an answer, in their order.

    Where its text is not that of its parts, as after a cut, its text and reasoning come first.
    """
    parts = list(parts_in(message.content))
    text = "".join(part.text for part in parts if part.kind == "text")
    reasoning = "".join(part.text for part in parts if part.kind == "reasoning")
    if (text, reasoning) == (message.text, message.reasoning or ""):
        return parts
    said = [StoredPart("reasoning", message.reasoning or ""), StoredPart("text", message.text)]
    others = [part for part in parts if part.kind not in ("text", "reasoning")]
    return [*(part for part in said if part.text), *others]


def parts_in(content: Json) -> Iterator[StoredPart]:
    """The parts in the stored form of an answer."""
    dumped = content.get("parts") if isinstance(content, dict) else None
    found = [part for part in dumped if isinstance(part, dict)] if isinstance(dumped, list) else []
    pieces = [_piece(part) for part in found]
    gaps = {id(piece): gap for gap, piece in spaced(pieces)}
    cited: set[tuple[str, str]] = set()
    for part, piece in zip(found, pieces, strict=True):
        if piece is not None and piece.text:
            kind: Any = piece.kind
            yield StoredPart(kind, gaps[id(piece)] + piece.text)
        for other in _others(part):
            if other.kind != "source" or other.identity not in cited:
                yield other
            cited.add(other.identity)


def output_of(parts: Sequence[StoredPart], outputs: Mapping[str, str | None]) -> Json:
    """The typed output among these parts, by the tools that give one, and the key of its value."""
    for part in parts:
        if part.kind == "call" and part.name in outputs:
            return partial_json(part.text, outputs[part.name])
    if "" in outputs:
        text = "".join(part.text for part in parts if part.kind == "text")
        return partial_json(text, outputs[""])
    return None


def outputs_of(settings: Json) -> Mapping[str, str | None]:
    """The tools whose calls are the output of a run, each with the key of its value.

    `""` stands for the text of the answer, if that is to be JSON.
    """
    found = settings.get("outputs") if isinstance(settings, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: key if isinstance(key, str) else None for name, key in found.items()}


def _piece(part: Mapping[str, Any]) -> Piece | None:
    content = part.get("content")
    if part.get("part_kind") == "text" and isinstance(content, str):
        return Piece("text", content)
    if part.get("part_kind") == "thinking" and isinstance(content, str):
        return Piece("reasoning", content)
    return None


def _others(part: Mapping[str, Any]) -> Iterator[StoredPart]:
    call_id, name = str(part.get("tool_call_id")), str(part.get("tool_name"))
    match part.get("part_kind"):
        case "text":
            yield from (StoredPart("source", source=source) for source in _sources(part))
        case "tool-call":
            yield StoredPart("call", json_text(part.get("args")), call_id, name)
        case "builtin-tool-call":
            arguments = partial_json(json_text(part.get("args")))
            yield StoredPart("provider_call", provider_call=ProviderCall(call_id, name, arguments))
        case "builtin-tool-return":
            failed = part.get("outcome") in ("failed", "denied")
            call = ProviderCall(
                call_id, name, None, "failed" if failed else "complete", part.get("content")
            )
            yield StoredPart("provider_result", provider_call=call)
        case "file":
            files = attached_in(part.get("content"))
            yield from (StoredPart("file", file=file) for file in files)


def _sources(part: Mapping[str, Any]) -> Iterator[Source]:
    for citation in part.get("citations") or ():
        for source in citation.get("sources") or () if isinstance(citation, dict) else ():
            url, title, document = (source.get(key) for key in ("url", "title", "document_id"))
            if url or title or document:
                yield Source(url, title, document)


def json_text(arguments: object) -> str:
    """The arguments of a call as JSON text."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
