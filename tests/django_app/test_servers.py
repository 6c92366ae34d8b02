"""A Django project behind real servers: WSGI by runserver, ASGI by uvicorn."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .projects import Project

URLS = """
    import asyncio
    from pathlib import Path

    from django.contrib.auth import login
    from django.contrib.auth.models import User
    from django.http import HttpResponse, JsonResponse
    from django.urls import include, path
    from pydantic_ai.models.function import FunctionModel

    from chatrecord.django import acreate_chat, create_chat, db
    from chatrecord.django.urls import chat_urls


    async def answer(messages, info):
        yield "one "
        while not Path("go").exists():
            await asyncio.sleep(0.02)
        yield "two"


    MODEL = FunctionModel(stream_function=answer, model_name="patient")


    def sign_in(request):
        user, _ = User.objects.get_or_create(username=request.GET["name"])
        login(request, user)
        return HttpResponse("Welcome")


    def ask(request):
        return HttpResponse(create_chat(db, "test", user=request.user).ask("Hello").text)


    async def aask(request):
        chat = await acreate_chat(db, "test", user=await request.auser())
        return HttpResponse((await chat.ask("Hello")).text)


    urlpatterns = [
        path("sign-in", sign_in),
        path("ask", ask),
        path("aask", aask),
        path("chats/", include(chat_urls(MODEL, csrf=False))),
    ]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "site.db")}
    made = Project(tmp_path, database)
    made.write("site_urls.py", URLS)
    made.write("asgi.py", """
        from django.core.asgi import get_asgi_application
        application = get_asgi_application()
    """)  # fmt: skip
    made.manage("migrate", "-v", "0")
    return made


@contextmanager
def served(project: Project, kind: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = {
        "wsgi": ["manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        "asgi": ["-m", "uvicorn", "asgi:application", "--port", port, "--lifespan", "off",
                 "--timeout-graceful-shutdown", "10"],
    }[kind]  # fmt: skip
    log = (project.folder / "server.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, *command], cwd=project.folder, env=project.environment,
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        _wait_for(int(port), server)
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.kill()
        server.wait()
        log.close()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def begun(page: httpx.Client) -> tuple[str, dict[str, Any]]:
    assert page.get("/sign-in", params={"name": "ann"}).text == "Welcome"
    chat = page.post("/chats/new", json={}).json()["id"]
    question = {"id": "q-1", "role": "user", "parts": [{"type": "text", "text": "Count"}]}
    return chat, {"id": chat, "messages": [question]}


def texts(events: Any) -> Iterator[str]:
    for line in events:
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            if event["type"] == "text-delta":
                yield event["delta"]
            elif event["type"] == "finish":
                yield "finish"


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_page_reads_the_answer_while_it_is_given(project: Project, kind: str) -> None:
    with served(project, kind) as (url, _), httpx.Client(base_url=url, timeout=60) as page:
        chat, body = begun(page)
        with page.stream("POST", "/chats/", json=body) as answer:
            pieces = texts(answer.iter_lines())
            assert next(pieces) == "one "
            with httpx.Client(base_url=url, timeout=60, cookies=page.cookies) as tab:
                with tab.stream("GET", f"/chats/{chat}/stream") as second:
                    assert next(texts(second.iter_lines())) == "one "
                assert tab.get("/ask").text == "success (no tool calls)"
                assert tab.get("/aask").text == "success (no tool calls)"
            (project.folder / "go").touch()
            assert list(pieces) == ["two", "finish"]
        read = page.get(f"/chats/{chat}").json()
        assert read["messages"][-1]["parts"][-1]["text"] == "one two"
        assert read["messages"][-1]["metadata"]["status"] == "complete"


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_reader_that_leaves_leaves_the_answer_alone(project: Project, kind: str) -> None:
    with served(project, kind) as (url, _), httpx.Client(base_url=url, timeout=60) as page:
        chat, body = begun(page)
        with page.stream("POST", "/chats/", json=body) as answer:
            assert next(texts(answer.iter_lines())) == "one "
        with page.stream("GET", f"/chats/{chat}/stream") as again:
            pieces = texts(again.iter_lines())
            assert next(pieces) == "one "
            (project.folder / "go").touch()
            assert list(pieces) == ["two", "finish"]


def test_a_server_that_is_told_to_end_ends_its_streams(project: Project) -> None:
    with served(project, "asgi") as (url, server), httpx.Client(base_url=url, timeout=60) as page:
        _, body = begun(page)
        with page.stream("POST", "/chats/", json=body) as answer:
            pieces = texts(answer.iter_lines())
            assert next(pieces) == "one "
            server.send_signal(signal.SIGTERM)
            assert list(pieces) == ["finish"]
        server.wait(30)
    left = project.run("-c", """
import django; django.setup()
from chatrecord.django.models import Message
message = Message.objects.order_by("seq").last()
print(message.role, message.status, message.text)
    """)  # fmt: skip
    assert left.strip() == "assistant interrupted one"


def test_a_process_that_ends_stores_what_has_come(project: Project) -> None:
    """Without a server, and without a word to close the database."""
    script = """
import django; django.setup()
from site_urls import MODEL
from chatrecord.django import create_chat, db
stream = create_chat(db, MODEL).stream("Count")
print(next(stream).text)
"""
    assert project.run("-c", script).strip() == "one"
    shown = """
import django; django.setup()
from chatrecord.django.models import Message
print([(it.status, it.text) for it in Message.objects.order_by("seq")])
"""
    assert project.run("-c", shown).strip() == "[('complete', 'Count'), ('interrupted', 'one ')]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_process_has_chats_of_its_own(project: Project) -> None:
    """As gunicorn --preload and Celery do it."""
    script = """
import os, django; django.setup()
from django.db import connections
from chatrecord.django import create_chat, db, list_chats
print(create_chat(db, "test").ask("Hello").text, flush=True)
connections.close_all()
children = [os.fork() for _ in range(1)]
text = create_chat(db, "test").ask("Hello").text
print(text, flush=True)
for child in filter(None, children):
    assert os.waitpid(child, 0)[1] == 0
"""
    # From 3.12 on, Python warns of every fork of a process with threads.
    said = project.run("-W", "ignore::DeprecationWarning", "-c", script)
    assert said.splitlines() == ["success (no tool calls)"] * 3
