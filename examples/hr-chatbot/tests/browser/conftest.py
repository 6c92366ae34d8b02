"""The application, built and running, and a real Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from .app import CHATBOT, App
from .visitor import Visitor

WEB = CHATBOT / "web"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    _build()
    # Not pytest's own folder: PostgreSQL runs as a user that must not look into that of root.
    data = Path(tempfile.mkdtemp(prefix="hr-browser-"))
    data.chmod(0o755)
    running = App(data)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        running.stop_database()
        shutil.rmtree(data, ignore_errors=True)


def _build() -> None:
    """The front end, where it is not built from what stands in its sources."""
    built = WEB / "dist" / "index.html"
    sources = [*WEB.glob("*.*"), *WEB.glob("src/**/*"), *WEB.glob("public/*")]
    if built.exists() and built.stat().st_mtime >= max(it.stat().st_mtime for it in sources):
        return
    if not (WEB / "node_modules").exists():
        subprocess.run(["npm", "ci"], cwd=WEB, check=True)
    subprocess.run(["npm", "run", "build"], cwd=WEB, check=True)


@pytest.fixture(scope="module")  # while it is open, no asynchronous test of another module can run
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("There is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=FLAGS.split(),
            ignore_default_args=["--hide-scrollbars"],  # as people have it
        )
        yield launched
        launched.close()


@pytest.fixture
def visit(app: App, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens the application as somebody new: `visit("ada")` signs in, `visit()` does not."""
    with ExitStack() as leaving:

        def arrive(name: str | None = None, *, phone: bool = False) -> Visitor:
            visitor = leaving.enter_context(Visitor(browser, app.url, phone=phone))
            if name is not None:
                visitor.sign_in(name)
                visitor.page.get_by_role("button", name="Send").wait_for()
            return visitor

        yield arrive


@pytest.fixture
def ada(visit: Callable[..., Visitor]) -> Visitor:
    return visit("ada")
