"""Whether a process is still there."""

from __future__ import annotations

import time
from pathlib import Path

PATIENCE = 10.0


def is_running(pid: int) -> bool:
    """A process that has ended but that nobody has asked about yet does not count."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status


def ends(pid: int) -> bool:
    """Whether it ends by itself, soon."""
    deadline = time.monotonic() + PATIENCE
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)
