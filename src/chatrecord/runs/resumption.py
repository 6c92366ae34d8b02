"""The state that a resumed run continues from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from chatrecord.records import Message, ToolCall


def worth_sending(messages: Sequence[Message]) -> list[Message]:
    """What a run has written, but for the partial answer that is to be generated again."""
    standing = [message for message in messages if message.status != "superseded"]
    while standing and standing[-1].role == "assistant" and standing[-1].status != "complete":
        standing.pop()
    return standing


def decisions_of(calls: Sequence[ToolCall]) -> dict[str, Literal[True] | str]:
    """What was decided about calls that have not run yet."""
    decided: dict[str, Literal[True] | str] = {}
    for call in calls:
        if call.status == "pending":
            decided[call.call_id] = True
        elif call.status == "denied":
            decided[call.call_id] = call.error or "The tool call was denied."
    return decided
