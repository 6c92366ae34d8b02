"""What a database file holds, read without the library."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def said(file: Path) -> list[tuple[str, str, str]]:
    """Role, status and text of every message."""
    return rows(file, "SELECT role, status, text FROM llm_messages ORDER BY chat_id, seq")


def active_runs(file: Path) -> int:
    found = rows(file, "SELECT count(*) FROM llm_runs WHERE status = 'running'")
    return int(found[0][0])
