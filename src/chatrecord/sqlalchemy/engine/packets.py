"""Statements that are too large for MySQL or MariaDB.

The server closes a connection that sends more than its `max_allowed_packet`, and says
nothing: without a look at what was sent, the same would be sent again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeAlias

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy.sql.attachments import LARGEST_PACKET
from chatrecord.sqlalchemy.types import is_mysql

from .timeouts import time_limit

ESCAPED = b"\0\n\r\x1a\"'\\"
"""Bytes that a driver writes as two."""

REST_OF_STATEMENT = 10_000
"""Bytes of a statement without its values."""

_SUSPICIOUS = 60_000
"""Bytes that no server is set to refuse."""

_PATIENCE = 1.0
"""Seconds in which a server that has hung up may answer. It may be gone altogether."""

Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Packets:
    """The largest packet of the server. It is read when it is first needed."""

    def __init__(self, dialect: Dialect, opened: Opened) -> None:
        self._dialect = dialect
        self._opened = opened
        self._largest: int | None = None

    async def explained(self, failure: DatabaseFailed) -> DatabaseFailed:
        """This failure, or the reason why it would only come again.

        Raises nothing: a server that cannot be asked has not refused anything.
        """
        size = _size_of(failure.__cause__)
        if size < _SUSPICIOUS or not failure.may_pass or not is_mysql(self._dialect):
            return failure
        largest = await self._allowed()
        if largest is None or size + REST_OF_STATEMENT <= largest:
            return failure
        msg = (
            f"The database refused a value: with {size:,} bytes it is too much for a statement of "
            f"this server, which takes {largest:,}: raise its max_allowed_packet"
        )
        return DatabaseFailed(msg, refused_value=True)

    async def _allowed(self) -> int | None:
        if self._largest is None:
            with suppress(Exception):  # it explains an error, which it must not replace
                async with time_limit(_PATIENCE), self._opened() as connection:
                    self._largest = int((await connection.execute(LARGEST_PACKET)).scalar_one())
        return self._largest


def _size_of(error: BaseException | None) -> int:
    """The bytes of the values that a failed statement was to write, of its largest row."""
    while error is not None:  # what was raised last may be that the rollback failed, too
        if isinstance(error, DBAPIError) and error.params is not None:
            return max((_sent(row) for row in _rows(error.params)), default=0)
        error = error.__context__
    return 0


def _rows(parameters: object) -> list[Iterable[object]]:
    """The values of each row, of one as of many, by name as by position."""
    if isinstance(parameters, Mapping):
        return [parameters.values()]
    rows = list(parameters) if isinstance(parameters, Sequence) else []
    if all(isinstance(row, Mapping | tuple | list) for row in rows):
        return [row.values() if isinstance(row, Mapping) else row for row in rows]
    return [rows]


def _sent(values: Iterable[object]) -> int:
    return sum(_length(value) for value in values)


def _length(value: object) -> int:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if not isinstance(value, bytes):
        return 0
    return 2 * len(value) - len(value.translate(None, ESCAPED))
