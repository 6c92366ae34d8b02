"""The parts of a growing answer, as readers are told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pydantic_ai.messages import (
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models import Model, ModelRequestParameters

from chatrecord.llm.pieces import SOURCE, Piece, Pieces
from chatrecord.llm.stored_part import StoredPart
from chatrecord.llm.stored_parts import json_text, parts_in
from chatrecord.records import Source

from .messages import body_of, words_in
from .provider import models_in


@dataclass(frozen=True, slots=True)
class Outputs:
    """What of an answer is its typed output."""

    tools: Mapping[str, str | None] = field(default_factory=dict)
    """The tools whose calls are the output, each with the key of its value in the arguments."""
    is_text: bool = False
    """Whether the text is the output, as JSON."""

    @classmethod
    def of(cls, parameters: ModelRequestParameters, model: Model) -> Outputs:
        """What the request asks for."""
        mode = parameters.output_mode
        if mode == "auto":
            asked_first = models_in(model)[0]
            mode = asked_first.profile.get("default_structured_output_mode", "tool")
        tools = {tool.name: tool.outer_typed_dict_key for tool in parameters.output_tools}
        is_text = mode in ("native", "prompted") and parameters.output_object is not None
        return cls(tools, is_text)

    def settings(self) -> dict[str, str | None]:
        """As the run keeps it; see `chatrecord.llm.stored_parts.outputs_of`."""
        return {**self.tools, **({"": None} if self.is_text else {})}


def pieces_of(response: ModelResponse, outputs: Outputs) -> Pieces:
    """All of a growing answer."""
    last = len(response.parts) - 1
    return [
        piece
        for place, part in enumerate(response.parts)
        for piece in _pieces(part, outputs, is_last=place == last)
    ]


def _pieces(part: object, outputs: Outputs, *, is_last: bool) -> Iterator[Piece | None]:
    match part:
        case TextPart():
            yield words_in(part)
            if outputs.is_text:
                yield Piece("output", part.content)
            for source in _sources(part):
                yield Piece("made", name=SOURCE, made=partial(_source, source))
        case ToolCallPart():
            args = json_text(part.args)
            if part.tool_name in outputs.tools:
                key = outputs.tools[part.tool_name]
                yield Piece("output", args, part.tool_call_id, part.tool_name, key)
            else:
                yield Piece("tool_input", args, part.tool_call_id, part.tool_name)
        case NativeToolCallPart() if is_last and not _is_whole(part):
            yield None
        case NativeToolCallPart() | NativeToolReturnPart():
            call_id = f"{part.part_kind} {part.tool_call_id}"
            yield Piece("made", call_id=call_id, name=part.tool_name, made=partial(_made, part))
        case _:
            yield words_in(part)


def _is_whole(part: NativeToolCallPart) -> bool:
    """Whether the arguments have arrived, as far as can be told."""
    if isinstance(part.args, str):
        try:
            json.loads(part.args)
        except ValueError:
            return False
    return bool(part.args)


def _made(part: NativeToolCallPart | NativeToolReturnPart) -> StoredPart | None:
    content = body_of(ModelResponse([part])).content
    return next((it for it in parts_in(content) if it.is_made), None)


def _source(source: object) -> StoredPart:
    url, title, document = (getattr(source, it, None) for it in ("url", "title", "document_id"))
    return StoredPart("source", source=Source(url, title, document))


def _sources(part: TextPart) -> list[object]:
    citations = getattr(part, "citations", None) or ()
    return [source for citation in citations for source in citation.sources]
