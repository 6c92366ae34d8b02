"""Chats and requests found by how they went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from chatrecord.chats.lookups import all_found, find_chats, list_requests
from chatrecord.errors import RunError
from chatrecord.ids import new_id
from chatrecord.runs.process import Backend
from chatrecord.spending.reports import Span
from chatrecord.store.changes import Changes
from chatrecord.store.lookup_store import ChatFilter, RequestFilter, RequestOrder
from chatrecord.testing.look import add_requests, new_chat
from chatrecord.testing.script import Script, call, fail, say

from .shared import add


class ChatsAreLookedUp:
    """Chats and requests found by how they went."""

    async def test_chats_are_found_by_tool_status_and_cost(self, backend: Backend) -> None:
        user = f"Ann {uuid4()}"
        owner = {"user_id": user}
        plain = await new_chat(backend, Script([say("Hi.")]), user_id=user)
        await plain.ask("Hi!")
        adding = Script([call("add", a=1, b=2)], [say("3")])
        added = await new_chat(backend, adding, tools=[add], title="Sums", user_id=user)
        await added.ask("1 + 2?")
        failing = await new_chat(backend, Script([say("I"), fail(ValueError("no"))]), user_id=user)
        with pytest.raises(RunError):
            await failing.ask("Well?")
        await add_requests(backend, plain, [Decimal("0.25"), Decimal("0.5")])

        async def found(where: ChatFilter, search: str | None = None) -> list[object]:
            page = await find_chats(
                backend, where, limit=9, before=None, scope=owner, search=search
            )
            assert page.next is None
            return [chat.id for chat in page.chats]

        assert await found(ChatFilter()) == [failing.id, added.id, plain.id]
        assert await found(ChatFilter(tool="add")) == [added.id]
        assert await found(ChatFilter(tool="ADD")) == []
        assert await found(ChatFilter(status="failed")) == [failing.id]
        assert await found(ChatFilter(min_cost=Decimal("0.75"))) == [plain.id]
        assert await found(ChatFilter(min_cost=Decimal("0.76"))) == []
        assert await found(ChatFilter(status="complete"), "sum") == [added.id]
        assert await found(ChatFilter(tool="add"), "sum difference") == []

    async def test_no_more_chats_are_looked_at_than_allowed(self, backend: Backend) -> None:
        """A search for what is rare goes on from where it stopped."""
        user = f"Ann {uuid4()}"
        owner = {"user_id": user}
        made = [
            await new_chat(backend, Script(), title="rare" if n == 0 else "often", user_id=user)
            for n in range(5)
        ]

        pages, key = [], None
        while True:
            page = await backend.store.find_chats(
                ChatFilter(), limit=2, among=2, before=key, scope=owner, search="rare"
            )
            pages.append([chat.id for chat in page.chats])
            if (key := page.next) is None:
                break

        assert pages == [[], [], [made[0].id]]
        whole = await all_found(
            backend, ChatFilter(), limit=4, before=None, scope=owner, search="often"
        )
        assert [chat.id for chat in whole] == [chat.id for chat in reversed(made[1:])]

    async def test_requests_are_listed_by_time_latency_and_cost(self, backend: Backend) -> None:
        user = f"Ann {uuid4()}"
        owner = {"user_id": user}
        chat = await new_chat(backend, Script([say("Hi.")]), user_id=user)
        await chat.ask("Hi!")
        (one,) = await chat.requests()
        start = datetime(2026, 3, 1, tzinfo=UTC)
        changes = Changes(chat.id)
        for n in range(4):
            changes.add(
                replace(
                    one,
                    id=new_id(),
                    started_at=start + timedelta(hours=n),
                    latency_ms=None if n == 3 else 1000.0 - n // 2,
                    first_token_ms=float(n),
                    cost=Decimal(n) / 100,
                    status="failed" if n == 2 else "complete",
                    run_id=None if n == 1 else one.run_id,
                    model=f"m{n}",
                )
            )
        await backend.store.write(changes)
        span = Span(start, start + timedelta(hours=4))

        async def listed(
            order_by: RequestOrder, limit: int = 9, where: RequestFilter | None = None
        ) -> list[str | None]:
            where = where or RequestFilter(span)
            models: list[str | None] = []
            before = None
            while True:  # in pages
                page = await list_requests(
                    backend, where, order_by=order_by, limit=limit, before=before, scope=owner
                )
                models += [request.model for request in page]
                if len(page) < limit:
                    return models
                before = page[-1]

        assert await listed("started_at", 1) == ["m3", "m2", "m1", "m0"]
        assert await listed("latency_ms", 1) == ["m1", "m0", "m2"]
        assert await listed("first_token_ms", 2) == ["m3", "m2", "m1", "m0"]
        assert await listed("cost", 3) == ["m3", "m2", "m1", "m0"]
        assert await listed("started_at", where=RequestFilter(span, "failed")) == ["m2"]
        assert await listed("started_at", where=RequestFilter(span, model="m1")) == ["m1"]
        assert await listed("started_at", where=RequestFilter(span, outside_runs=True)) == ["m1"]
        first = RequestFilter(Span(start, start + timedelta(hours=1)))
        assert await listed("started_at", where=first) == ["m0"]
        of_chat = RequestFilter(model=one.model, chat_id=chat.id)
        assert await listed("started_at", where=of_chat) == [one.model]
        nobody = {"user_id": f"Bob {uuid4()}"}
        none = await list_requests(
            backend, RequestFilter(), order_by="cost", limit=9, before=None, scope=nobody
        )
        assert none == []

    async def test_chats_are_read_by_their_ids_within_a_scope(self, backend: Backend) -> None:
        user = f"Ann {uuid4()}"
        owner = {"user_id": user}
        mine = await new_chat(backend, Script(), user_id=user)
        other = await new_chat(backend, Script(), user_id=f"Bob {uuid4()}")

        found = await backend.store.chats_by_id([mine.id, other.id, uuid4()], owner)

        assert found == {mine.id: mine.record}
        assert await backend.store.chats_by_id([], {}) == {}
