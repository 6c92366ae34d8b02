"""Ids that are made in the client and sort by the time they were made."""

from __future__ import annotations

import os
import time
from datetime import datetime
from threading import Lock
from uuid import UUID

_lock = Lock()
_last = _last_ahead = 0


def new_id(after: UUID | None = None) -> UUID:
    """A UUIDv7 (RFC 9562), strictly increasing within this process.

    It is later than `after`, even if that was made by a process whose clock is ahead of this one's.
    The twelve bits after the millisecond carry its fraction, so that ids made within the same
    millisecond still sort in the order they were made.
    """
    global _last, _last_ahead  # noqa: PLW0603 - the order of ids is a property of the process
    with _lock:
        moment = _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        if after is not None and _moment_of(after) >= moment:  # other ids tell the time still
            moment = _last_ahead = max(_last_ahead, _moment_of(after)) + 1
    milliseconds, fraction = divmod(moment, 4096)
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def _moment_of(made: UUID) -> int:
    """The time of an id, in 4096ths of a millisecond."""
    return (made.int >> 80) * 4096 + (made.int >> 64) % 4096


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - see above
    _lock = Lock()


if hasattr(os, "register_at_fork"):  # a thread that held it does not run in the child
    os.register_at_fork(after_in_child=_renew_lock)


def first_id(moment: datetime) -> UUID:
    """The smallest id that can have been made at this moment."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
