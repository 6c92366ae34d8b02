"""What becomes of a connection whose task is cancelled.

On SQLite it rolls back, and stays open. SQLAlchemy closes a connection that was interrupted, since
most drivers cannot go on with it. On SQLite that loses a database in memory, and leaves a file
locked: a statement that was not read to its end keeps the closed connection's transaction open,
until Python collects its cursor. aiosqlite can go on, as it does one thing after the other: the
rollback comes after what was interrupted.

Where there is one connection for all, it is given back to the end before the next transaction takes
it: the pool closes a connection whose return was interrupted, and with it all tables in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Result = TypeVar("Result")


def survive_interruptions(engine: AsyncEngine) -> None:
    """Have this engine keep connections to SQLite that were interrupted."""
    target = engine.sync_engine
    if engine.dialect.driver == "aiosqlite" and not event.contains(target, "handle_error", _keep):
        event.listen(target, "handle_error", _keep)


def _keep(context: ExceptionContext) -> None:
    if not isinstance(context.original_exception, Exception):
        context.is_disconnect = False


async def to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Do this in a task of its own. Who is cancelled meanwhile is so once it is done."""
    doing = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not doing.done():
        try:
            await asyncio.wait({doing})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return doing.result()
    if not doing.cancelled():
        doing.exception()  # which the cancellation hides
    raise cancelled


@asynccontextmanager
async def ended_whole(
    transaction: AbstractAsyncContextManager[AsyncConnection],
) -> AsyncIterator[AsyncConnection]:
    """A transaction whose commit or rollback, and the return of its connection, always end."""
    connection = await transaction.__aenter__()
    try:
        yield connection
    except BaseException as error:
        if not await to_the_end(_ended(transaction, error)):
            raise
    else:
        await to_the_end(_ended(transaction, None))


async def _ended(
    transaction: AbstractAsyncContextManager[AsyncConnection], error: BaseException | None
) -> bool:
    try:
        if error is None:
            return bool(await transaction.__aexit__(None, None, None))
        return bool(await transaction.__aexit__(type(error), error, error.__traceback__))
    except BaseException as raised:
        if raised is error:
            return False
        raise


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
