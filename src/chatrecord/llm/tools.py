"""Declarations about tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_MARK = "__chatrecord_repeatable__"


def repeatable(tool: Function) -> Function:
    """Declare a tool safe to run again.

        @repeatable
        def check_balance(employee: str) -> int: ...

    If a call was interrupted, `chat.resume()` runs it again instead of reporting it to the model as
    interrupted. Use it only for tools that change nothing or are idempotent.
    """
    setattr(tool, _MARK, True)
    return tool


def is_repeatable(tool: object) -> bool:
    """Whether a tool is declared safe to run again."""
    return getattr(tool, _MARK, False) is True
