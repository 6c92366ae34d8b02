"""Replaces the placeholders of a request by their values in its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

from chatrecord.hooks.run_hooks import Originals
from chatrecord.llm.pieces import Piece, Pieces

from .texts import changed_value


class Unmasker:
    """Replaces placeholders by their values in an answer that may still grow."""

    def __init__(self, originals: Originals) -> None:
        self._in_text = _Stand(originals.in_text)
        self._in_calls = _Stand(originals.in_calls)

    def response(self, response: ModelResponse) -> ModelResponse:
        """An answer that grows no more."""
        parts = [self._part(part) for part in response.parts]
        return replace(response, parts=parts)

    def pieces(self, pieces: Pieces, *, grows: bool) -> Pieces:
        """The parts of an answer. While it grows, a possible half placeholder is held back."""
        last = len(pieces) - 1
        return [
            Piece("text", self._in_text.restored(piece.text, grows=grows and place == last))
            if piece and piece.kind == "text"
            else piece
            for place, piece in enumerate(pieces)
        ]

    def _part(self, part: object) -> Any:
        if isinstance(part, TextPart):
            text = self._in_text.restored(part.content)
            # A provider that is given the id of a text takes its own copy of it.
            return part if text == part.content else replace(part, content=text, id=None)
        if isinstance(part, ToolCallPart):
            return self._call(part)
        return part

    def _call(self, part: ToolCallPart) -> ToolCallPart:
        try:
            given = part.args_as_dict(raise_if_invalid=True)
        except (ValueError, AssertionError):
            return part
        args = changed_value(given, "tool_call", lambda text: self._in_calls.restored(text.text))
        return part if args is given else replace(part, args=args)


class _Stand:
    """The placeholders and their values."""

    def __init__(self, originals: Mapping[str, str]) -> None:
        self._originals = originals
        longest_first = sorted(originals, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._longest = max(map(len, originals), default=0)

    def restored(self, text: str, *, grows: bool = False) -> str:
        whole = text[: len(text) - self._half(text)] if grows else text
        return self._any.sub(lambda found: self._originals[found[0]], whole)

    def _half(self, text: str) -> int:
        """The number of characters at the end that may start a placeholder."""
        lengths = range(min(self._longest - 1, len(text)), 0, -1)
        return next((n for n in lengths if self._begins(text[-n:])), 0)

    def _begins(self, tail: str) -> bool:
        return any(stand.startswith(tail) for stand in self._originals)
