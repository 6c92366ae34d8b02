"""The whole ledger: what tools spend through other agents, and requests that are no answers."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest
from pydantic_ai import Agent, Embedder
from pydantic_ai.embeddings import EmbeddingModel, EmbeddingResult
from pydantic_ai.embeddings.test import TestEmbeddingModel

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.errors import TokenLimitExceeded
from chatrecord.pydantic_ai.recorded import recorded
from chatrecord.records import ApiRequest
from chatrecord.runs.process import Backend
from chatrecord.spending.limits import Limits
from chatrecord.spending.reports import Span
from chatrecord.testing.look import new_chat
from chatrecord.testing.script import Script, call, say
from chatrecord.transfer import chats as transfer

from .budgets import Priced


def embedder_of(backend: Backend, model: EmbeddingModel | None = None, **options: Any) -> Embedder:
    """One whose requests are rows."""
    wrapped = Embedder(model or TestEmbeddingModel("text-embedding-3-small"))
    chat_id, kind = options.get("chat_id"), options.get("kind")
    return cast(Embedder, recorded(backend, wrapped, kind, chat_id))


class Refusing(TestEmbeddingModel):
    """A model whose provider refuses."""

    async def embed(self, *_: Any, **__: Any) -> EmbeddingResult:
        msg = "no more"
        raise ConnectionError(msg)


async def expert(backend: Backend, llm: object, made: list[Chat]) -> Any:
    """A tool that asks an agent in a chat of its own."""

    async def ask_expert(question: str) -> str:
        """Ask somebody who knows."""
        made.append(await new_chat(backend, llm))
        return (await made[-1].ask(question)).text

    return ask_expert


def kinds_of(requests: list[ApiRequest]) -> list[str | None]:
    return [request.kind for request in requests]


class TheLedgerIsWhole:
    """What tools spend through other agents, and requests that are no answers."""

    async def test_a_run_in_a_tool_names_its_parent_which_spends_what_it_spends(
        self, backend: Backend
    ) -> None:
        made: list[Chat] = []
        tool = await expert(backend, Priced([say("42")]), made)
        outer = Priced([call("ask_expert", question="How many?")], [say("It is 42.")])
        chat = await new_chat(backend, outer, tools=[tool])

        reply = await chat.ask("How many?")

        (child,) = made
        (inner,) = await child.requests()
        own = await chat.requests()
        assert inner.run_id is not None
        run = await backend.store.get_run(child.id, inner.run_id)
        parent = await backend.store.get_run(chat.id, reply.run_id)
        assert run is not None
        assert parent is not None
        assert (run.parent_run_id, parent.parent_run_id) == (reply.run_id, None)
        assert len(own) == 2
        assert reply.usage.requests == 3
        assert reply.cost == sum(request.cost or 0 for request in [inner, *own])

    async def test_a_chat_that_a_tool_creates_is_listed_for_its_run_only(
        self, backend: Backend
    ) -> None:
        made: list[Chat] = []

        async def ask_expert(question: str) -> str:
            """Ask somebody who knows."""
            made.append(await new_chat(backend, Script([say("42")]), user_id="nested"))
            return (await made[-1].ask(question)).text

        script = Script([call("ask_expert", question="How many?")], [say("42")])
        chat = await new_chat(backend, script, tools=[ask_expert], user_id="nested")
        reply = await chat.ask("How many?")

        async def listed(**scope: object) -> list[UUID]:
            page = {"limit": 20, "before": None, "scope": {"user_id": "nested", **scope}}
            return [it.id for it in await chats.list_chats(backend, **page)]  # type: ignore[arg-type]

        assert await listed() == [chat.id]
        assert await listed(parent_run_id=reply.run_id) == [made[0].id]

    async def test_what_is_asked_after_the_tool_has_no_parent(self, backend: Backend) -> None:
        made: list[Chat] = []
        tool = await expert(backend, Script([say("42")]), made)
        script = Script([call("ask_expert", question="How many?")], [say("42")])
        chat = await new_chat(backend, script, tools=[tool])
        await chat.ask("How many?")

        other = await new_chat(backend, Script([say("hi")]))
        reply = await other.ask("Hi")

        run = await backend.store.get_run(other.id, reply.run_id)
        assert run is not None
        assert run.parent_run_id is None

    async def test_the_limits_of_a_run_hold_for_what_its_tools_ask(self, backend: Backend) -> None:
        """The answer that follows is not asked for any more."""
        made: list[Chat] = []

        async def ask_expert(question: str) -> str:
            """Ask somebody who knows, and keep what he says."""
            made.append(await new_chat(backend, Script([say("a long answer " * 99)])))
            await made[-1].ask(question)
            return "noted"

        script = Script([call("ask_expert", question="How many?")], [say("never said")])
        limits = Limits(tokens=200)
        chat = await new_chat(backend, script, tools=[ask_expert], limits=limits)

        with pytest.raises(TokenLimitExceeded):
            await chat.ask("How many?")

        assert made
        assert len(await chat.requests()) == 1

    async def test_an_agent_of_ones_own_in_a_tool_has_a_parent(self, backend: Backend) -> None:
        """Also where the tool runs in a thread."""
        made: list[Chat] = []
        loop = asyncio.get_running_loop()

        def ask_expert(question: str) -> str:
            """Ask somebody who knows."""

            async def asked() -> str:
                made.append(await new_chat(backend, Script([say("42")])))
                return (await made[-1].ask(question)).text

            return asyncio.run_coroutine_threadsafe(asked(), loop).result(10)

        script = Script([call("ask_expert", question="How many?")], [say("42")])
        chat = await new_chat(backend, Agent(script, tools=[ask_expert]))
        reply = await chat.ask("How many?")

        (inner,) = await made[0].requests()
        assert inner.run_id is not None
        run = await backend.store.get_run(made[0].id, inner.run_id)
        assert run is not None
        assert run.parent_run_id == reply.run_id
        assert reply.usage.requests == 3

    async def test_an_embedding_in_a_tool_is_spent_by_the_run(self, backend: Backend) -> None:
        embedder = embedder_of(backend)

        async def find(words: str) -> str:
            """Find what is said of it."""
            return str(len((await embedder.embed_query(words)).embeddings))

        script = Script([call("find", words="wifi password")], [say("It is on the wall.")])
        chat = await new_chat(backend, script, tools=[find])
        reply = await chat.ask("Where is the wifi password?")

        requests = await chat.requests()
        assert sorted(map(str, kinds_of(requests))) == ["None", "None", "embedding"]
        (embedding,) = (request for request in requests if request.kind == "embedding")
        assert (embedding.run_id, embedding.status) == (reply.run_id, "complete")
        assert embedding.model == "text-embedding-3-small"
        assert (embedding.tokens.input or 0) > 0
        assert reply.usage.requests == 3
        assert reply.usage == await chat.usage()

    async def test_an_embedding_without_a_chat_is_a_row_with_its_kind(
        self, backend: Backend
    ) -> None:
        before = await self._of_kind(backend, "lookup")
        await embedder_of(backend, kind="lookup").embed_documents(["one", "two"])
        chat = await new_chat(backend, Script())
        await embedder_of(backend, kind="lookup", chat_id=chat.id).embed_query("three")

        assert await self._of_kind(backend, "lookup") == before + 2
        assert kinds_of(await chat.requests()) == ["lookup"]

    async def test_an_image_is_a_row_with_its_kind(self, backend: Backend) -> None:
        images = pytest.importorskip("pydantic_ai.images")
        chat = await new_chat(backend, Script())
        generator = images.ImageGenerator(images.TestImageGenerationModel())

        found = await recorded(backend, generator, None, chat.id).generate("a map of Rome")

        assert len(found.images) == 1
        (request,) = await chat.requests()
        assert (request.kind, request.status, request.streamed) == ("image", "complete", False)

    async def test_an_embedding_that_fails_is_a_row_with_its_error(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        embedder = embedder_of(backend, Refusing(), chat_id=chat.id)

        with pytest.raises(ConnectionError):
            await embedder.embed_query("wifi")

        (request,) = await chat.requests()
        assert (request.status, request.error_type) == ("failed", "ConnectionError")
        assert request.tokens.input is None

    async def test_a_title_is_told_apart_in_reports(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hi")], [say("A title")]), user_id="kinds")
        await chat.ask("Hi")
        await chat.generate_title()

        assert kinds_of(await chat.requests()) == [None, "title"]
        rows = await backend.store.report(["kind"], Span(), {"user_id": "kinds"})
        found = {row.by["kind"]: row.usage.requests for row in rows}
        assert found[None] == found["title"]

        exported = [line async for line in transfer.export_chat(backend, chat.id, {})]
        copy = await transfer.import_chat(backend, exported, new_ids=True, columns={})
        assert kinds_of(list(await backend.store.requests(copy.id))) == [None, "title"]

    async def _of_kind(self, backend: Backend, kind: str) -> int:
        rows = await backend.store.report(["kind"], Span(), {})
        return sum(row.usage.requests for row in rows if row.by["kind"] == kind)
