"""A task that is cancelled in the middle of a statement on SQLite rolls back, and goes.

SQLAlchemy closes a connection that was interrupted, since most drivers cannot go on with it. On
SQLite that loses a database in memory, and leaves a file locked: a statement that was not read to
its end keeps the closed connection's transaction open, until Python collects its cursor. aiosqlite
can go on, as it does one thing after the other: the rollback comes after what was interrupted.
"""

from __future__ import annotations

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
