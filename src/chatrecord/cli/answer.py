"""An answer on the screen, as it comes."""

from __future__ import annotations

import json
from decimal import Decimal

from chatrecord import Chat
from chatrecord.records import Chunk, Json, Reply, ToolCall, Usage

from . import figures
from .screen import Screen

_LONGEST_VALUE = 100


async def show_answer(chat: Chat, prompt: str, screen: Screen) -> Reply[str]:
    """Ask, and write the answer as it is stored. Raises what the run raises."""
    kind = None
    async with chat.stream(prompt) as stream:
        async for chunk in stream:
            if kind not in (None, chunk.kind):
                screen.end_line()
            kind = chunk.kind
            _show(chunk, screen)
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
    """What it cost, or how much of that is known."""
    if usage.cost is None:
        return "cost unknown" if usage.unpriced_requests else figures.money(Decimal(0))
    known = figures.money(usage.cost)
    if usage.unpriced_requests:
        return f"at least {known} ({usage.unpriced_requests} of {usage.requests} unpriced)"
    return known


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


def _show(chunk: Chunk, screen: Screen) -> None:
    if chunk.text:
        screen.write(chunk.text)
    if chunk.reasoning:
        screen.whisper(chunk.reasoning)
    if chunk.tool_call is not None:
        _show_call(chunk, chunk.tool_call, screen)


def _show_call(chunk: Chunk, call: ToolCall, screen: Screen) -> None:
    if chunk.kind == "tool_call":
        screen.note(f"⚙ {call_line(call)}")
        screen.wait(f"{call.name} ...")
    else:
        screen.note(f"  → {outcome_line(call)}")
        screen.wait("thinking ...")
