"""Requests and raw answers are kept in a file, and replayed without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from chatrecord.chats.chat import Chat
from chatrecord.errors import ConfigurationError, ProviderError, RateLimited, RunInterrupted
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import NotRecorded, Script, recorded, say

from .answers import Answer, Call, rate_limited, says
from .clients import model_clients
from .conftest import OPENAI_CHAT, ConnectModel, Provider
from .server import ProviderServer

NOBODY = "http://127.0.0.1:9"
"""Where no server is."""

CALLS = Answer(reasoning=("Hm", "m."), calls=(Call("call_1", "add", {"a": 1, "b": 2}),))
ANSWER = Answer(reasoning=("Three",), text=("It is ", "thr\N{LATIN SMALL LETTER E WITH ACUTE}e."))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorded" / "sum.json"


@asynccontextmanager
async def offline(provider: Provider) -> AsyncIterator[Model]:
    """The same model with another key, which reaches nobody."""
    async with model_clients(NOBODY) as connect:
        yield connect(replace(provider, key="another-key-of-nobody"))


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


async def told(chat: Chat) -> list[object]:
    """What a chat has kept, without ids and times."""
    messages = await chat.messages()
    calls, requests = await chat.tool_calls(), await chat.requests()
    return [
        *[(it.role, it.status, it.text, it.reasoning, it.finish_reason) for it in messages],
        *[(it.call_id, it.arguments, it.result) for it in calls],
        *[
            (it.status, it.http_status, it.provider_request_id, it.tokens, it.cost)
            for it in requests
        ],
    ]


async def ask(db: Database, llm: Model, question: str = "1 + 2?") -> Chat:
    chat = await create_chat(db, llm, tools=[add], retries=0)
    await chat.ask(question)
    return chat


async def test_a_recorded_chat_is_replayed_without_a_network(
    db: Database, server: ProviderServer, llm: Model, provider: Provider, file: Path
) -> None:
    server.script(CALLS, ANSWER)
    async with recorded(llm, file) as model:
        first = await ask(db, model)
    async with offline(provider) as other, recorded(other, file, mode="none") as model:
        second = await ask(db, model)
    assert await told(second) == await told(first)
    assert len(server.received) == 2


async def test_no_key_is_in_the_file(
    db: Database, server: ProviderServer, connect: ConnectModel, provider: Provider, file: Path
) -> None:
    key = "words-of-no-known-kind"
    server.script(says("Your key is ", key))
    async with recorded(connect(replace(provider, key=key)), file) as model:
        await ask(db, model, f"Is {key} my key? And sk-proj-AbCdEfGhIjKlMnOpQrStUv?")
    written = text_of(file)
    assert key not in written
    assert "sk-proj-AbC" not in written
    assert written.count("[redacted]") >= 3


async def test_a_stream_is_kept_chunk_by_chunk(
    db: Database, server: ProviderServer, connect: ConnectModel, file: Path
) -> None:
    server.script(replace(says("a", "b", "c"), pause=0.02))
    async with recorded(connect(OPENAI_CHAT), file) as model:
        await ask(db, model)
    (exchange,) = json.loads(text_of(file))["exchanges"]
    assert len(exchange["answer"]["chunks"]) >= 3


async def test_another_question_is_not_in_the_file(
    db: Database, server: ProviderServer, connect: ConnectModel, file: Path
) -> None:
    server.script(says("Three."))
    async with recorded(connect(OPENAI_CHAT), file) as model:
        await ask(db, model)
    with pytest.raises(NotRecorded, match=r'is "1 \+ 3\?", and was "1 \+ 2\?"') as found:
        async with offline(OPENAI_CHAT) as other, recorded(other, file) as model:
            await ask(db, model, "1 + 3?")
    assert isinstance(found.value.__cause__, ProviderError)
    assert 'mode="all"' in str(found.value)


async def test_a_request_is_replayed_once(
    db: Database, server: ProviderServer, connect: ConnectModel, file: Path
) -> None:
    server.script(says("Three."))
    async with recorded(connect(OPENAI_CHAT), file) as model:
        await ask(db, model)
    with pytest.raises(NotRecorded, match="was sent once more"):
        async with offline(OPENAI_CHAT) as other, recorded(other, file) as model:
            await ask(db, model)
            await ask(db, model)


async def test_refusals_and_broken_streams_are_replayed(
    db: Database, server: ProviderServer, llm: Model, provider: Provider, file: Path
) -> None:
    server.script(rate_limited(retry_after=7), replace(says("Half ", "an"), ends="dropped"))
    async with recorded(llm, file) as model:
        with pytest.raises(RateLimited) as refused:
            await ask(db, model)
        with pytest.raises((ProviderError, RunInterrupted)) as first:
            await ask(db, model)
    async with offline(provider) as other, recorded(other, file) as model:
        with pytest.raises(RateLimited) as limited:
            await ask(db, model)
        with pytest.raises(type(first.value)) as second:
            await ask(db, model)
    assert limited.value.retry_after == refused.value.retry_after
    assert str(limited.value) == str(refused.value)
    assert second.value.text == first.value.text != ""


async def test_all_records_again_and_a_failed_block_keeps_the_file(
    db: Database, server: ProviderServer, connect: ConnectModel, file: Path
) -> None:
    server.script(says("Three."), says("Four."), says("Five."))
    async with recorded(connect(OPENAI_CHAT), file) as model:
        await ask(db, model)
    async with recorded(connect(OPENAI_CHAT), file, mode="all") as model:
        await ask(db, model)
    before = text_of(file)
    with pytest.raises(ZeroDivisionError):
        async with recorded(connect(OPENAI_CHAT), file, mode="all") as model:
            await ask(db, model)
            1 / 0  # noqa: B018
    assert text_of(file) == before
    async with offline(OPENAI_CHAT) as other, recorded(other, file) as model:
        chat = await ask(db, model)
    assert (await chat.messages())[-1].text == "Four."


async def test_ignored_fields_may_differ(
    db: Database, server: ProviderServer, connect: ConnectModel, file: Path
) -> None:
    server.script(says("Three."))
    for user in ("ann", "bob"):
        settings = ModelSettings(extra_body={"user": user})
        async with recorded(connect(OPENAI_CHAT), file, ignore=["user"]) as model:
            chat = await create_chat(db, model, settings=settings)
            await chat.ask("1 + 2?")
    with pytest.raises(NotRecorded, match=r'body\.user is "bob", and was "ann"'):
        async with recorded(connect(OPENAI_CHAT), file, mode="none") as model:
            await (await create_chat(db, model, settings=settings)).ask("1 + 2?")


async def test_a_model_string_is_replayed_without_a_key(
    db: Database,
    server: ProviderServer,
    connect: ConnectModel,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.script(says("Three."))
    async with recorded(connect(OPENAI_CHAT), file) as model:
        await ask(db, model)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with recorded("openai-chat:gpt-4o", file) as model:
        chat = await ask(db, model)
    assert (await chat.messages())[-1].text == "Three."


async def test_secrets_in_addresses_are_left_out(server: ProviderServer, file: Path) -> None:
    server.script(says("Three."))
    address = httpx2.URL(server.address).copy_with(userinfo=b"user:pass-phrase-1")
    client = AsyncOpenAI(
        api_key=OPENAI_CHAT.key,
        base_url=f"{address}/v1",
        default_query={"api-key": "query-secret", "api-version": "7"},
        max_retries=0,
    )
    model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
    async with client, recorded(model, file) as llm:
        await ask_directly(llm)
    written = text_of(file)
    assert "pass-phrase-1" not in written
    assert "query-secret" not in written
    assert "api-version=7" in written


async def ask_directly(llm: Model) -> None:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelRequest

    async with model_request_stream(llm, [ModelRequest.user_text_prompt("Hi")]) as stream:
        async for _ in stream:
            pass


async def test_what_cannot_be_is_told_at_once(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='Use mode="once"'):
        async with recorded("openai:gpt-4o", file, mode="none"):
            pass
    with pytest.raises(ConfigurationError, match="does not send its requests by httpx"):
        async with recorded(Script([say("Hi")]), file):
            pass
    with pytest.raises(ValueError, match="mode= takes"):
        async with recorded("openai:gpt-4o", file, mode="new"):  # type: ignore[arg-type]
            pass
    broken = tmp_path / "broken.json"
    broken.write_text("[]")
    with pytest.raises(ConfigurationError, match="is no recording"):
        async with recorded("openai:gpt-4o", broken):
            pass
