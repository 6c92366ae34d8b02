"""Hints about poolers in front of PostgreSQL, from what they do to prepared statements."""

from __future__ import annotations

from typing import Any

_MISPLACED = frozenset(("26000", "42P05"))
"""A statement that another session has prepared, or that this one has not."""

_MISTAKEN = "08P01"
"""Another client's statement of the same name takes other parameters."""

_SETTINGS = {
    "asyncpg": '?statement_cache_size=0 in the URL, or connect_args={"statement_cache_size": 0}',
    "psycopg": '?prepare_threshold=none in the URL, or connect_args={"prepare_threshold": None}',
}


def hint_for(error: BaseException) -> str | None:
    """What to set, where a pooler gives each transaction another connection to the server."""
    cause: Any = getattr(error, "orig", None) or error
    code, said = getattr(cause, "sqlstate", None), str(cause)
    is_mistaken = code == _MISTAKEN and "prepared statement" in said
    if code not in _MISPLACED and not is_mistaken:
        return None
    setting = next((it for name, it in _SETTINGS.items() if name in _modules(cause)), None)
    return (
        "Behind a pooler in transaction mode, such as PgBouncer, the driver must not prepare "
        'statements: pass Database(..., pooler="transaction"), or set '
        f"{setting or ' or '.join(_SETTINGS.values())}"
    )


def _modules(error: BaseException) -> str:
    return " ".join(type(it).__module__ for it in (error, error.__cause__) if it is not None)
