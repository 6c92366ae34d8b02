"""How far the log of PostgreSQL is, as a number: of the primary, and of a replica."""

from __future__ import annotations

from sqlalchemy import Numeric, literal_column, select

from chatrecord.sqlalchemy.generics import Query


def _position(function: str) -> Query:
    bytes_of_it = literal_column(f"pg_wal_lsn_diff({function}(), '0/0')", Numeric)
    return select(bytes_of_it.label("position"))


WRITTEN = _position("pg_current_wal_insert_lsn")
"""Up to where the primary has written."""

REPLAYED = _position("pg_last_wal_replay_lsn")
"""Up to where the replica has what the primary has written. NULL if it is no replica."""
