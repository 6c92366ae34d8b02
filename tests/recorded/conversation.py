"""A recorded chat, held again through the library: the same questions, tools and results."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_ai import Tool
from pydantic_ai.models import Model

from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from providers.clients import Provider, model_clients

from .facts import Said, call_text
from .recordings import Body, Exchange, Recording
from .replay import ReplayServer, Sent
from .wires import Wire, wire_of

if TYPE_CHECKING:
    from chatrecord.chats.chat import Chat

KEY = "a-key-of-no-account"


@dataclass(frozen=True)
class Held:
    """A chat, the requests it took, and the error that ended it."""

    chat: Chat
    received: list[Sent]
    error: ProviderError | None


async def hold(db: Database, recording: Recording, *, streamed: bool) -> Held:
    """Ask what was asked. Every question is asked by a chat that was loaded from its rows."""
    first = recording.exchanges[0]
    wire = wire_of(first)
    error = None
    async with replayed(recording) as (server, model):
        llm = model if streamed else unstreamed(model)
        options: dict[str, Any] = {
            "settings": wire.settings(first.asked),
            "tools": recorded_tools(wire, recording),
            "retries": 0,
        }
        chat = await create_chat(db, llm, instructions=instructions(wire, first), **options)
        for question in questions(wire, recording):
            again = await load_chat(db, llm, chat.id, **options)
            try:
                await again.ask(question)
            except ProviderError as refused:
                if recording.has_answers:
                    raise
                error = refused
        assert server.unused == 0
    return Held(chat, server.received, error)


@asynccontextmanager
async def replayed(recording: Recording) -> AsyncIterator[tuple[ReplayServer, Model]]:
    exchange = recording.exchanges[0]
    name = wire_of(exchange).provider_name
    provider = Provider(name, name, model_name(exchange), KEY, {})
    async with ReplayServer(recording) as server, model_clients(server.address) as connect:
        yield server, connect(provider)


def model_name(exchange: Exchange) -> str:
    """Named in the body, or in the path, as in `/v1beta/models/gemini-2.5-flash:generateContent`."""
    in_path = exchange.path.rpartition("/")[2].partition(":")[0]
    return str(exchange.asked.get("model") or in_path)


def unstreamed(model: Model) -> Model:
    """The same model, as one that does not know how to stream."""
    kind = type(model)
    silent: Any = type(kind.__name__, (kind,), {})
    silent.request_stream = Model.request_stream
    model.__class__ = silent
    return model


def instructions(wire: Wire, exchange: Exchange) -> str | None:
    texts = [words.what for words in wire.said(exchange.asked) if words.who == "system"]
    return texts[0] if texts else None


def questions(wire: Wire, recording: Recording) -> list[str]:
    """The requests that end with words of the user's begin a turn; the others go on with one."""
    ends = [wire.said(exchange.asked)[-1] for exchange in recording.exchanges]
    return [words.what for words in ends if words.who == "user"]


def recorded_tools(wire: Wire, recording: Recording) -> list[Tool]:
    """Tools that give the recorded results, each call its own."""
    results = results_of(wire.said(recording.exchanges[-1].asked))
    return [
        Tool.from_schema(answering(name, results), name, description, schema)
        for name, description, schema in wire.tools(recording.exchanges[0].asked)
    ]


def results_of(said: list[Said]) -> dict[str, deque[str]]:
    """The recorded results of each call, by its name and arguments."""
    results: dict[str, deque[str]] = defaultdict(deque)
    calls = {words.id: words.what for words in said if words.who == "call"}
    for words in said:
        if words.who == "result":
            results[calls[words.id]].append(words.what)
    return results


def answering(name: str, results: dict[str, deque[str]]) -> Any:
    async def answer(**arguments: Any) -> str:
        given: Body = arguments
        return results[call_text(name, given)].popleft()

    return answer
