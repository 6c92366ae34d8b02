"""A setting of PostgreSQL that each transaction begins with, for policies on rows to read."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.errors import ConfigurationError
from chatrecord.runs.partition import PartitionBy, Partitioning
from chatrecord.sqlalchemy.sql.settings import SET_LOCAL

_NAME = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)+")


def begin_with_setting(
    engine: AsyncEngine, name: str, by: PartitionBy | None, partitioning: Partitioning
) -> None:
    """Have each transaction of this engine set this to the key of the current partition.

    Without a key it is empty. Raises `ConfigurationError` for what cannot work.
    """
    _check(engine, name, by)

    def begin(connection: Connection) -> None:
        key: Any = partitioning.current()
        value = "" if key is None else str(key)
        connection.execute(SET_LOCAL, {"name": name, "value": value})

    event.listen(engine.sync_engine, "begin", begin)


def _check(engine: AsyncEngine, name: str, by: PartitionBy | None) -> None:
    msg = None
    if engine.dialect.name != "postgresql":
        msg = f"partition_setting= is a setting of PostgreSQL, not of {engine.dialect.name}"
    elif by is None or isinstance(by, str):
        msg = "partition_setting= needs partition= with a ContextVar or a function"
    elif not isinstance(name, str) or _NAME.fullmatch(name) is None:
        msg = f'partition_setting= takes a name with a dot, such as "app.tenant", not {name!r}'
    if msg is not None:
        raise ConfigurationError(msg)
