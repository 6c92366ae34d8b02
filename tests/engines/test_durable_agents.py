"""Agents with DBOSDurability: the table of docs/how-to/engines.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dbos")
pytest.importorskip("pydantic_ai.durable_exec.dbos")


def test_where_an_agent_with_durability_may_be_asked(tmp_path: Path) -> None:
    child = Path(__file__).with_name("durable.py")
    done = subprocess.run(
        [sys.executable, str(child), str(tmp_path)], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr

    found = json.loads(done.stdout.splitlines()[-1])
    refused = found.pop("workflow")
    assert found == {
        "outside": "hi",
        "step": "hi",
        "persisted": "hi",
        "submitted": "hi",
        "chats": 5,
    }
    assert refused.startswith(
        "ConfigurationError: Capabilities added per-run inside a DBOS workflow"
    )
    assert refused.endswith("or give the agent Persisted among its capabilities")
