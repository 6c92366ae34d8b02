"""The run whose tool is at work: what is asked for in it is spent by that run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recorder import RunRecorder

_CURRENT: ContextVar[RunRecorder | None] = ContextVar("chatrecord_current_run", default=None)


def current_run() -> RunRecorder | None:
    """The run in whose tool this is called, in this process."""
    return _CURRENT.get()


@contextmanager
def tool_of(recorder: object) -> Iterator[None]:
    """A tool of this run is at work, also in tasks and threads that it starts."""
    token = _CURRENT.set(recorder)  # type: ignore[arg-type]
    try:
        yield
    finally:
        _CURRENT.reset(token)
