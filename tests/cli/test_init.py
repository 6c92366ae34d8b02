"""`chatrecord init`: what it writes runs, as it is, for each choice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from urllib.parse import quote

import httpx
import pytest

from chatrecord.cli import main
from chatrecord.cli.scaffold.choices import TABLES, WEB

from .terminal import Terminal

FIRST = [("fastapi", "own"), ("django", "ready"), ("none", "ready")]
"""What the quick job tries; the longer one tries every choice."""

CHOICES = [
    pytest.param(web, tables, marks=[] if (web, tables) in FIRST else pytest.mark.slow)
    for web in WEB
    for tables in TABLES
]
SITES = [choice for choice in CHOICES if choice.values[0] != "none"]


@pytest.fixture
def project(tmp_path: Path, web: str, tables: str) -> Path:
    folder = tmp_path / "project"
    assert main(["init", str(folder), "--web", web, "--tables", tables]) == 0
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(("web", "tables"), CHOICES)
def test_its_test_passes(project: Path, web: str) -> None:
    if web == "django":
        tested = run(project, "-W", "error::ResourceWarning", "main.py", "test")
        assert tested.returncode == 0, tested.stderr
        assert "Ran 2 tests" in tested.stderr
        return
    options = ["-W", "error", "-p", "no:asyncio", "-p", "no:xdist", "-p", "no:cacheprovider"]
    tested = run(project, "-m", "pytest", "-q", *options)
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout


@pytest.mark.parametrize(
    ("web", "tables"), [("fastapi", "own"), ("flask", "ready"), ("django", "own")]
)
def test_it_is_clean(project: Path) -> None:
    linted = run(
        project,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--line-length",
        "100",
        "--exclude",
        "chats/migrations",
        ".",
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(("web", "tables"), [("fastapi", "own")])
def test_its_first_migration_is_that_of_its_models(project: Path) -> None:
    for command in ("upgrade head", "check", "downgrade base", "upgrade head"):
        done = run(project, "-m", "alembic", *command.split())
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize(("web", "tables"), [("django", "own")])
def test_its_migration_of_django_is_that_of_its_models(project: Path) -> None:
    done = run(project, "main.py", "makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """The project, as its one command starts it, on a port of its own."""
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    page = folder / "main.py"
    page.write_text(page.read_text().replace("8000", str(port)))
    with subprocess.Popen([sys.executable, "main.py"], cwd=folder) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            yield url
        finally:
            process.terminate()


def _wait_for(url: str) -> None:
    until = monotonic() + 60
    while monotonic() < until:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            sleep(0.1)
        else:
            return
    pytest.fail(f"Nothing answers at {url}")


@pytest.mark.parametrize(("web", "tables"), SITES)
def test_its_page_and_its_answers(project: Path) -> None:
    with started(project) as url, httpx.Client(base_url=url, timeout=30) as browser:
        assert "<title>Chat</title>" in browser.get("/").text
        browser.headers["x-csrftoken"] = browser.cookies.get("csrftoken", "")
        chat = browser.post("/api/chats/new", json={"title": "Hello"}).json()
        asked = browser.post(
            "/api/chats",
            json={"id": chat["id"], "text": "Hello?"},
            headers={"x-chat-protocol": "sse"},
        )
        assert re.search(r'^event: text\ndata: {"text": ?"\w', asked.text, re.MULTILINE)
        read = browser.get(f"/api/chats/{chat['id']}").json()
        assert [message["role"] for message in read["messages"]] == ["user", "assistant"]
        assert browser.get("/api/chats").json()["chats"][0]["title"] == "Hello"


@pytest.mark.parametrize(("web", "tables"), [("none", "ready"), ("none", "own")])
def test_the_script_answers(project: Path) -> None:
    answered = run(project, "main.py", "Hello?")
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout.strip()
    assert (project / "chats.db").exists()


@pytest.mark.parametrize(("web", "tables"), [("django", "ready")])
def test_a_published_secret_serves_nobody_but_its_author(project: Path) -> None:
    """Whoever knows the key can sign in as anybody: without DEBUG it has to be set."""
    checked = "import django; django.setup(); from django.conf import settings; settings.SECRET_KEY"
    served = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "DEBUG": "0"}
    for key, code in (({}, 1), ({"SECRET_KEY": "x" * 50}, 0), ({"DEBUG": "1"}, 0)):
        done = subprocess.run(
            [sys.executable, "-c", checked], cwd=project, env=served | key,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert ("SECRET_KEY setting must not be empty" in done.stderr) == bool(code)


_BROWSER = """
const node = new Proxy(() => node, { get: (_, name) => (name === "value" ? "" : node), set: () => true });
globalThis.document = { cookie: "", getElementById: () => node, createElement: () => node };
globalThis.location = { hash: process.env.HASH };
globalThis.addEventListener = () => {};
globalThis.fetch = async (path) => {
  console.log(new URL(path, "http://site").pathname);
  throw new Error("no network");
};
"""
"""As much of a browser as the page needs to ask for the chat of its address."""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not here")
@pytest.mark.parametrize(("web", "tables"), [("starlette", "ready")])
def test_a_link_to_the_page_names_no_other_path(project: Path) -> None:
    """Else a link could have the page call any address of the site, as the signed-in user."""
    html = (project / "index.html").read_text()
    script = html.partition('<script type="module">')[2].partition("</script>")[0]
    (project / "page.mjs").write_text(_BROWSER + script)
    for name in ("01890000-0000-7000-8000-000000000000", "../../logout"):
        done = subprocess.run(
            ["node", "page.mjs"], cwd=project, env={**os.environ, "HASH": f"#{name}"},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        asked = done.stdout.splitlines()[0]
        assert asked == f"/api/chats/{quote(name, safe='')}"


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "main.py").write_text("print('mine')")
    assert main(["init", str(tmp_path), "--web", "fastapi", "--tables", "own"]) == 1
    assert "has main.py already. Choose another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]


def test_without_a_terminal_the_choices_have_to_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(["init", str(tmp_path), "--tables", "own"]) == 1
    assert (
        "init needs --web: fastapi, starlette, litestar, flask, django, none"
        in capsys.readouterr().err
    )
    assert not list(tmp_path.iterdir())


def test_a_terminal_is_asked(tmp_path: Path) -> None:
    with Terminal("init", "chats", environment=os.environ, folder=tmp_path) as terminal:
        terminal.until("Which web framework?")
        terminal.type("7")
        terminal.until("A number from 1 to 6, please.")
        terminal.type("4")
        terminal.until("Which tables?")
        terminal.type("own")
        terminal.until("python main.py")
    assert "from flask import" in (tmp_path / "chats" / "main.py").read_text()
    assert (tmp_path / "chats" / "models.py").exists()
