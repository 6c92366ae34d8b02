"""Real pydantic-ai models, over the providers' own clients, pointed at the loopback server."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models import Model

from chatrecord.sqlalchemy import Database

from .answers import says
from .clients import ConnectModel, Provider, model_clients
from .server import ProviderServer

OPENAI_KEY = "sk-proj-T3stK3yT3stK3yT3stK3yT3stK3yT3stK3yT3stK3y"
ANTHROPIC_KEY = "sk-ant-api03-T3stK3y-T3stK3yT3stK3yT3stK3yT3stK3y-AA"
GOOGLE_KEY = "AIzaT3stK3yT3stK3yT3stK3yT3stK3yT3stK3yT3"


OPENAI_CHAT = Provider("openai-chat", "openai", "gpt-4o", OPENAI_KEY, {})
OPENAI_RESPONSES = Provider(
    "openai-responses", "openai", "gpt-5", OPENAI_KEY, {"openai_reasoning_summary": "auto"}
)
ANTHROPIC = Provider(
    "anthropic",
    "anthropic",
    "claude-haiku-4-5",
    ANTHROPIC_KEY,
    {"anthropic_thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096},
)
GEMINI = Provider(
    "gemini",
    "google",
    "gemini-2.5-flash",
    GOOGLE_KEY,
    {"google_thinking_config": {"include_thoughts": True}},
)
PROVIDERS = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI)


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest) -> Provider:
    """Each of the four protocols in turn."""
    chosen: Provider = request.param
    return chosen


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    """A strict server; every request it gets must be valid and scripted, and nothing left over."""
    async with ProviderServer() as server:
        yield server
    assert server.faults == []
    assert server.unused == 0


@pytest.fixture
async def connect(server: ProviderServer) -> AsyncIterator[ConnectModel]:
    """`connect(provider, max_retries=0)`: its real model, through its real client."""
    async with model_clients(server.address) as connect:
        yield connect


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """The first request through each client builds its schemas, too slowly for a test of time."""
    asyncio.run(ask_each_provider())


async def ask_each_provider() -> None:
    async with ProviderServer() as server, model_clients(server.address) as connect:
        for provider in PROVIDERS:
            server.script(says("Hello"))
            prompt = [ModelRequest.user_text_prompt("Hi")]
            async with model_request_stream(connect(provider), prompt) as stream:
                await anext(aiter(stream))


@pytest.fixture
def llm(connect: ConnectModel, provider: Provider) -> Model:
    """The model of the protocol under test."""
    return connect(provider)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the tables and no rows."""
    file = tmp_path_factory.mktemp("empty") / "chats.db"

    async def create() -> None:
        db = Database(f"sqlite+aiosqlite:///{file}")
        await db.create_tables()
        await db.close()

    asyncio.run(create())
    return file


@pytest.fixture
async def db(empty_database: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A database file of its own for each test."""
    file = shutil.copy(empty_database, tmp_path / "chats.db")
    db = Database(f"sqlite+aiosqlite:///{file}")
    yield db
    await db.close()
