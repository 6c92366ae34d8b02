"""What becomes of a connection whose task is cancelled.

On SQLite it rolls back, and stays open. SQLAlchemy closes a connection that was interrupted, since
most drivers cannot go on with it. On SQLite that loses a database in memory, and leaves a file
locked: a statement that was not read to its end keeps the closed connection's transaction open,
until Python collects its cursor. aiosqlite can go on, as it does one thing after the other: the
rollback comes after what was interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine


def survive_interruptions(engine: AsyncEngine) -> None:
    """Have this engine keep connections to SQLite that were interrupted."""
    target = engine.sync_engine
    if engine.dialect.driver == "aiosqlite" and not event.contains(target, "handle_error", _keep):
        event.listen(target, "handle_error", _keep)


def _keep(context: ExceptionContext) -> None:
    if not isinstance(context.original_exception, Exception):
        context.is_disconnect = False


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Raise `CancelledError` at the end where a driver has swallowed it.

    asyncmy connects in `asyncio.wait_for`, which up to Python 3.11 returns a result that comes
    together with the cancellation. The task would continue as if it were not cancelled.
    """
    before = _cancellations()
    yield
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
