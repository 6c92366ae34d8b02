"""What can be said of a tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_MARK = "__chatrecord_repeatable__"


def repeatable(tool: Function) -> Function:
    """Declare a tool safe to run again.

        @repeatable
        def check_balance(employee: str) -> int: ...

    `chat.resume()` then runs a call of it that was interrupted once more, instead of telling the
    model that it was. Only for what changes nothing, or changes it once however often it is run.
    """
    setattr(tool, _MARK, True)
    return tool


def is_repeatable(tool: object) -> bool:
    """Whether a tool has been declared safe to run again."""
    return getattr(tool, _MARK, False) is True
