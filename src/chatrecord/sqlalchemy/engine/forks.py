"""A database in a process that was forked from the one that made it.

`gunicorn --preload`, Celery's prefork pool and `multiprocessing` make a `Database` first and fork
then. What it holds there belongs to the parent: connections that both would talk over, an event
loop that does not run here, the runs of the parent, and the name under which those are its own.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What has to begin anew in a process that was forked."""

    def begin_anew(self) -> object:
        """Forget what belongs to the parent, and hand it over."""


_known: WeakSet[Forkable] = WeakSet()
_inherited: list[object] = []
"""What belongs to the parent. It is kept as it is: SQLite forbids even closing a connection that
came through a fork, and the sockets of others are the parent's to close."""


def begin_anew_in_forks(forkable: Forkable) -> None:
    """Have this begin anew in every process that is forked from this one."""
    _known.add(forkable)


def _begin_anew() -> None:
    _inherited.extend(known.begin_anew() for known in list(_known))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
