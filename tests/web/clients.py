"""The real clients of the npm registry, installed once per lock file, each driven as a process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatrecord-tests"


def installed(name: str) -> Path:
    """The `node_modules` of these clients, exactly as their lock file says."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are missing: install Node.js 20 or newer for the real clients")
    files = [
        HERE / "clients" / name / file for file in ("package.json", "package-lock.json", ".npmrc")
    ]
    locked = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    place = CACHE / f"{name}-{locked}"
    if not place.exists():
        making = place.with_name(f"{place.name}.{os.getpid()}")
        making.mkdir(parents=True)
        for file in files:
            shutil.copy(file, making)
        done = subprocess.run(["npm", "ci"], cwd=making, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        try:
            making.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(making)
    return place / "node_modules"


class Client:
    """A process with one version of a client in it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def play(self, scenario: str, **given: Any) -> dict[str, Any]:
        """What the client saw."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"scenario": scenario, **given}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failure" not in answer, answer["failure"]
        return answer["result"]


@contextmanager
def client(name: str, driver: str, *arguments: str, folder: Path) -> Iterator[Client]:
    """Runs `driver` with those modules, from a folder of its own."""
    for file in HERE.glob("*.mjs"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(installed(name))
    with subprocess.Popen(
        ["node", driver, *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Client(process)
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(10)
