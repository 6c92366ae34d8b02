"""An answer on the screen, as it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from chatrecord import ChatStream
from chatrecord.records import Chunk, Json, Reply, ToolCall, Usage

from . import figures
from .screen import Screen

_LONGEST_VALUE = 100


async def stream_answer(stream: ChatStream[str], screen: Screen) -> Reply[str]:
    """Show the answer as it is stored. Raises what the run raises."""
    view = _AnswerView(screen)
    async with stream:
        # All that has come at once: a terminal that draws slowly does not fall behind.
        while chunks := await stream.take():
            view.show(chunks)
    screen.end_line()
    return stream.reply


async def whole_answer(stream: ChatStream[str], screen: Screen) -> Reply[str]:
    """Show the answer after its end, even a partial one. Raises the error of the run."""
    came: list[Chunk] = []
    try:
        async with stream:
            while chunks := await stream.take():
                came += chunks
    finally:
        _AnswerView(screen).show(came)
        screen.end_line()
    return stream.reply


def footer(reply: Reply[str], *, is_local: bool) -> str:
    """What an answer took: tokens, money, time."""
    price = "on this machine" if is_local else cost_of(reply.usage)
    return " · ".join((tokens_of(reply.usage), price, figures.seconds(reply.latency_ms)))


def tokens_of(usage: Usage) -> str:
    """The tokens that went in and came out."""
    return f"{figures.count(usage.input_tokens)} in, {figures.count(usage.output_tokens)} out"


def cost_of(usage: Usage) -> str:
    """Its cost, or the known part; "charged" if the provider reported it."""
    if usage.cost is None:
        return "cost unknown" if usage.unpriced_requests else figures.money(Decimal(0))
    known = figures.money(usage.cost)
    if usage.unpriced_requests:
        return f"at least {known} ({usage.unpriced_requests} of {usage.requests} unpriced)"
    return f"{known} charged" if usage.cost_source == "reported" else known


def call_line(call: ToolCall) -> str:
    """A tool call with its arguments."""
    if isinstance(call.arguments, dict):
        named = (f"{name}={value_line(value)}" for name, value in call.arguments.items())
        return f"{call.name}({', '.join(named)})"
    return f"{call.name}({value_line(call.arguments)})"


def outcome_line(call: ToolCall) -> str:
    """What came of a tool call."""
    took = "" if call.duration_ms is None else f" ({figures.seconds(call.duration_ms)})"
    if call.error is not None:
        return f"{call.status}: {shortened(call.error)}{took}"
    if call.status != "complete":
        return f"{call.status}{took}"
    return f"{value_line(call.result)}{took}"


def value_line(value: Json) -> str:
    """A JSON value on one line, cut where it is long."""
    return shortened(json.dumps(value, ensure_ascii=False))


def shortened(text: str, longest: int = _LONGEST_VALUE) -> str:
    """The text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


_SHOWN = ("text", "reasoning", "tool_call", "tool_result", "provider_call")
"""The kinds of chunks that are shown while an answer is written."""


class _AnswerView:
    """An answer on the screen, with separate lines for each kind of chunk."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._kind: str | None = None

    def show(self, chunks: Sequence[Chunk]) -> None:
        shown = [chunk for chunk in chunks if chunk.kind in _SHOWN]
        for kind, of_a_kind in groupby(shown, lambda chunk: chunk.kind):
            if self._kind not in (None, kind):
                self._screen.end_line()
            self._kind = kind
            self._show_all(list(of_a_kind))

    def _show_all(self, chunks: Sequence[Chunk]) -> None:
        if text := "".join(chunk.text for chunk in chunks):
            self._screen.answer(text)
        if reasoning := "".join(chunk.reasoning for chunk in chunks):
            self._screen.whisper(reasoning)
        for chunk in chunks:
            if chunk.tool_call is not None:
                _show_call(chunk, chunk.tool_call, self._screen)
            elif (own := chunk.provider_call) is not None:
                self._screen.note(f"⚙ {own.name}({value_line(own.arguments)})")


def _show_call(chunk: Chunk, call: ToolCall, screen: Screen) -> None:
    if chunk.kind == "tool_call":
        screen.note(f"⚙ {call_line(call)}")
        screen.wait(f"{call.name} ...")
    else:
        screen.note(f"  → {outcome_line(call)}")
        screen.wait("thinking ...")
