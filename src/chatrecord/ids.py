"""Ids that are made in the client and sort by the time they were made."""

from __future__ import annotations

import os
import time
from datetime import datetime
from threading import Lock
from uuid import UUID

_lock = Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562), strictly increasing within this process.

    The twelve bits after the millisecond carry its fraction, so that ids made within the same
    millisecond still sort in the order they were made.
    """
    global _last  # noqa: PLW0603 - the order of ids is a property of the process
    with _lock:
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        moment = _last
    milliseconds, fraction = divmod(moment, 4096)
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - see above
    _lock = Lock()


if hasattr(os, "register_at_fork"):  # a thread that held it does not run in the child
    os.register_at_fork(after_in_child=_renew_lock)


def first_id(moment: datetime) -> UUID:
    """The smallest id that can have been made at this moment."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)
