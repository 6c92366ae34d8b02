"""The dashboard in a real Chromium. Where there is none, or no Playwright, these tests are skipped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@dataclass(frozen=True)
class Served:
    """Where the server of `tests/web/dashboard_app.py` is, and its chats by what they show."""

    origin: str
    chats: dict[str, str]

    @property
    def dashboard(self) -> str:
        return f"{self.origin}/tools/chats-admin/"


@dataclass
class Visit:
    """A page, and what the browser complained of."""

    page: Any
    served: Served
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str = "") -> Any:
        self.page.goto(f"{self.served.dashboard}{address}")
        self.page.locator("h1").wait_for()
        self.page.locator("main:not(:has([aria-busy]))").wait_for()
        return self.page


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('dashboard') / 'chats.db'}"
    command = [sys.executable, str(TESTS / "web" / "dashboard_app.py"), database]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=_environment()
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield Served(f"http://127.0.0.1:{told.pop('port')}", told)
        process.terminate()
        process.wait(20)


def _environment() -> dict[str, str]:
    paths = [str(TESTS), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="module")  # while it is open, no asynchronous test of another module can run
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("There is no chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[Callable[..., Visit]]:
    """Open the dashboard as somebody: `visit()` is an administrator. Nothing may be complained of."""
    with ExitStack() as leaving:
        visits = []

        def arrive(who: str = "admin", *, width: int = 1280) -> Visit:
            context = leaving.enter_context(
                browser.new_context(viewport={"width": width, "height": 900})
            )
            context.add_cookies([{"name": "who", "value": who, "url": served.origin}])
            page = context.new_page()
            made = Visit(page, served)
            page.on("console", lambda told: made.complaints.append(told.text))
            page.on("pageerror", lambda error: made.complaints.append(str(error)))
            page.on(
                "request",
                lambda sent: sent.url.startswith(served.origin) or made.complaints.append(sent.url),
            )
            visits.append(made)
            return made

        yield arrive
        assert [made.complaints for made in visits] == [[]] * len(visits)
