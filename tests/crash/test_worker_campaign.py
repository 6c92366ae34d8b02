"""A crowd of chats, whose workers are killed at random and deployed once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "workers.py"


@pytest.mark.slow
def test_every_question_is_answered_once(own_url: str) -> None:
    sizes = ("--chats", "20", "--seconds", "30")
    done = subprocess.run(
        [sys.executable, BENCH, own_url, *sizes], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["workers killed"] > 3
