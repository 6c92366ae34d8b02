"""Tool calls that the user approves or denies at the terminal: `--approve`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chatrecord.errors import ConfigurationError
from chatrecord.records import ToolCall

from .answer import call_line
from .confirmation import can_ask, is_confirmed
from .plain_text import plain
from .tool_file import Tool

DENIED = "The user does not want this call."


def check_can_approve() -> None:
    """Raise `ConfigurationError` without a terminal."""
    if not can_ask():
        msg = "No terminal to approve tool calls: omit --approve"
        raise ConfigurationError(msg)


def with_approval(tools: Sequence[Tool]) -> list[object]:
    """The same tools, each of whose calls waits to be approved."""
    from pydantic_ai import Tool as LLMTool  # noqa: PLC0415 - takes a second to load

    return [LLMTool(tool, requires_approval=True) for tool in tools]


def is_approved(call: ToolCall) -> bool:
    """Ask about a call. Ctrl-C is no."""
    try:
        return is_confirmed(f"Call {plain(call_line(call))}?")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return False
