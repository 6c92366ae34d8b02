"""The project of the Django page, built and run as its reader would."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from .pages import ROOT
from .provider import Server

pytest.importorskip("django")
pytest.importorskip("psycopg")  # the default of the page

PAGE = (ROOT / "docs" / "how-to" / "django.md").read_text("utf-8")
FILES = re.compile(
    r'^```\w+ title="([\w/.]+)(?: \(([^)]+)\))?"\n(.*?)^```$', re.MULTILINE | re.DOTALL
)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who follows the page in an empty folder."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "OPENAI_API_KEY": "sk-documented-0000000000",
            "OPENAI_BASE_URL": f"{server.address}/v1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def run(self, command: str) -> str:
        words = shlex.split(command)
        words[0:1] = {
            "django-admin": [sys.executable, "-m", "django"],
            "python": [sys.executable],
        }[words[0]]
        environment = dict(self.environment)
        if "startproject" in words:
            del environment["DJANGO_SETTINGS_MODULE"]
        told = subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=200
        )
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout + told.stderr

    def write(self, kind: str | None) -> None:
        """The files of the page with these words behind their names."""
        for name, words, text in FILES.findall(PAGE):
            if (words or None) == kind:
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                before = path.read_text() if name.endswith("settings.py") else ""
                path.write_text(before + text)

    @contextmanager
    def serving(self, *command: str) -> Iterator[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [word.format(port=port) for word in command]
        server = subprocess.Popen(
            [sys.executable, *words], cwd=self.folder, env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(600):
                assert server.poll() is None, "the server has ended"
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def reader(tmp_path: Path, server: Server) -> Reader:
    found = Reader(tmp_path, server)
    install, migrate, *_ = COMMANDS.findall(PAGE)
    found.run(install.splitlines()[-1])
    found.write(None)
    found.run(migrate.strip())
    return found


SERVERS = {
    "runserver": ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}"),
    "uvicorn": (
        "-m",
        "uvicorn",
        "config.asgi:application",
        "--port",
        "{port}",
        "--lifespan",
        "off",
    ),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_the_project_of_the_page_runs(reader: Reader, kind: str) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.contrib.auth.models import User\n"
        "User.objects.create_superuser('ann', password='secret')"
    )
    reader.run(shlex.join(["python", "-c", code]))
    with reader.serving(*SERVERS[kind]) as url, httpx.Client(base_url=url, timeout=60) as page:
        assert page.get("/").status_code == 302, "nobody is signed in"
        page.get("/admin/login/")
        signed = {"username": "ann", "password": "secret", "next": "/"}
        token = {"csrfmiddlewaretoken": page.cookies["csrftoken"]}
        assert page.post("/admin/login/", data={**signed, **token}).headers["location"] == "/"
        assert "<form" in page.get("/").text

        token = {"x-csrftoken": page.cookies["csrftoken"], "x-chat-protocol": "sse"}
        asked = page.post("/ask", data={"text": "May I fly?"}, headers=token).json()
        again = page.post(f"/ask/{asked['chat']}", data={"text": "And?"}, headers=token).json()
        assert asked["text"]
        assert again["text"]
        assert page.get("/mine").json() == {"chats": [asked["chat"]]}

        made = page.post("/chats/new", json={}, headers=token).json()
        body = {"id": made["id"], "text": "By train?"}
        with page.stream("POST", "/chats/", json=body, headers=token) as answer:
            events = [it for it in answer.iter_lines() if it.startswith("event: ")]
        assert events[0] == "event: start"
        assert events[-1] == "event: end"
        assert "event: text" in events
        listed = page.get("/admin/chatrecord/chat/").text
        assert asked["chat"] in listed
        assert page.get("/admin/chatrecord/chat/usage/").status_code == 200


def test_the_tests_of_the_page_pass(reader: Reader) -> None:
    said = reader.run("python manage.py test")
    assert "Ran 3 tests" in said
    assert "OK" in said


def test_the_models_and_settings_of_the_page_work(reader: Reader) -> None:
    (reader.folder / "db.sqlite3").unlink()
    (reader.folder / "hr" / "__init__.py").touch()
    for words in ("own models", "options"):
        reader.write(words)
    reader.run("python manage.py makemigrations hr")
    reader.run("python manage.py migrate")
    code = (
        "import django; django.setup()\n"
        "from chatrecord.django import create_chat, db\n"
        "from hr.models import Chat\n"
        "create_chat(db, 'test', department='HR').ask('Hello')\n"
        "print(Chat.objects.get(department='HR').priority)"
    )
    assert reader.run(shlex.join(["python", "-c", code])).strip() == "3"


def test_the_commands_of_the_page_run(reader: Reader) -> None:
    for command in re.findall(r"^\| `manage.py ([^`]+)` \|", PAGE, re.MULTILINE):
        quiet = " --noinput" if "purge" in command else ""
        reader.run(f"python manage.py {command}{quiet}")
