"""What a command does on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from chatrecord.errors import ConfigurationError

Result = TypeVar("Result")


def result_of(work: Coroutine[None, None, Result]) -> Result:
    """The result. A `ValueError` is about what was typed, so it becomes a `ConfigurationError`."""
    try:
        return asyncio.run(work)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
