"""A database in a process that was forked from the one that made it.

`gunicorn --preload`, Celery's prefork pool and `multiprocessing` make a `Database` first and fork
then. What it holds there belongs to the parent: connections that both would talk over, an event
loop that does not run here, the runs of the parent, and the name under which those are its own.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

from sqlalchemy.ext.asyncio import AsyncEngine


class Forkable(Protocol):
    """What must be reset in a forked process."""

    engine: AsyncEngine

    def _reset_after_fork(self) -> object:
        """Forget what belongs to the parent, and return it."""


_known: WeakSet[Forkable] = WeakSet()
_inherited: list[object] = []
"""What belongs to the parent. It is kept as it is: SQLite forbids even closing a connection that
came through a fork, and the sockets of others are the parent's to close."""


def reset_after_forks(forkable: Forkable) -> None:
    """Reset this in every process that is forked from this one."""
    _known.add(forkable)


def keep_inherited(parents: object) -> None:
    """Keep what belongs to the parent from being closed here."""
    _inherited.append(parents)


def _reset_all() -> None:
    """Reset all engines first: several databases may share one."""
    known = list(_known)
    engines = {id(each.engine.pool): each.engine for each in known}
    for engine in engines.values():
        _inherited.append(engine.pool)
        engine.sync_engine.dispose(close=False)
    _inherited.extend(each._reset_after_fork() for each in known)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
