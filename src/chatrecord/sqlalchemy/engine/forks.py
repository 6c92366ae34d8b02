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
    """What has to begin anew in a process that was forked."""

    engine: AsyncEngine

    def begin_anew(self) -> object:
        """Forget what belongs to the parent, and hand it over."""


_known: WeakSet[Forkable] = WeakSet()
_inherited: list[object] = []
"""What belongs to the parent. It is kept as it is: SQLite forbids even closing a connection that
came through a fork, and the sockets of others are the parent's to close."""


def begin_anew_in_forks(forkable: Forkable) -> None:
    """Have this begin anew in every process that is forked from this one."""
    _known.add(forkable)


def keep_inherited(parents: object) -> None:
    """Keep what belongs to the parent from being closed here."""
    _inherited.append(parents)


def _begin_anew() -> None:
    """First all connections, then whatever takes turns on them: several may share an engine."""
    known = list(_known)
    engines = {id(each.engine.pool): each.engine for each in known}
    for engine in engines.values():
        _inherited.append(engine.pool)
        engine.sync_engine.dispose(close=False)
    _inherited.extend(each.begin_anew() for each in known)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
