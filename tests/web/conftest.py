"""A real server process, and real clients."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from chatrecord.sqlalchemy import Database

from .clients import Client, client

APP = Path(__file__).parent / "app.py"


@dataclass(frozen=True)
class Site:
    """Where the server is, and its database."""

    url: str
    database: str


@contextmanager
def serving(database: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server of `app.py` as a process, and where it is."""
    with subprocess.Popen(
        [sys.executable, APP, database], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        while True:
            try:
                httpx.get(f"{url}/chats")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process, url
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('web') / 'chats.db'}"
    with serving(database) as (_, url):
        yield Site(url, database)


@pytest.fixture
async def stored(site: Site) -> AsyncIterator[Database]:
    """What the server has in its database, looked at from another process."""
    async with Database(site.database) as db:
        yield db


@pytest.fixture
def user() -> str:
    return f"user-{uuid4().hex[:8]}"


@pytest.fixture
def chat_id(site: Site, user: str) -> UUID:
    made = httpx.post(f"{site.url}/chats/new", json={}, headers={"x-user": user})
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


@pytest.fixture(scope="session")
def ai_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Client]]:
    """One process per version, for all tests."""
    clients: dict[int, Client] = {}
    with ExitStack() as stack:
        for version in (5, 6, 7):
            folder = tmp_path_factory.mktemp(f"ai{version}")
            clients[version] = stack.enter_context(
                client(f"ai{version}", "driver.mjs", "react", folder=folder)
            )
        yield clients


@pytest.fixture(params=[5, 6, 7], ids=lambda version: f"ai{version}")
def version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def page(ai_clients: dict[int, Client], version: int) -> Client:
    return ai_clients[version]
