"""Paging, and what a chat has used."""

from __future__ import annotations

from decimal import Decimal

from chatrecord.records import REPORTED
from chatrecord.runs.process import Backend
from chatrecord.testing.look import add_requests, new_chat
from chatrecord.testing.script import Script, call, say

from .budgets import Priced
from .shared import add


class SumsAreExact:
    """Paging, and what a chat has used."""

    async def test_messages_are_paged_from_the_end(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(*[[say(f"a{n}")] for n in range(3)]))
        for n in range(3):
            await chat.ask(f"q{n}")

        last = await chat.messages(limit=4)
        older = await chat.messages(limit=4, before=last[0].seq)

        assert [message.text for message in (*older, *last)] == ["q0", "a0", "q1", "a1", "q2", "a2"]

    async def test_money_is_exact_and_what_is_unknown_is_not_zero(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hi")]))
        await chat.ask("Hi!")
        costs = [Decimal("0.000000012500"), Decimal("0.1"), Decimal("1234.567890123")]
        await add_requests(backend, chat, costs)

        usage = await chat.usage()

        assert [request.cost for request in await chat.requests()] == [None, *costs]
        assert usage.cost == sum(costs)
        assert (usage.requests, usage.unpriced_requests) == (4, 1)
        assert usage.cache_read_tokens is None

    async def test_what_providers_reported_is_told_from_what_was_computed(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Priced([say("hi")]))
        reply = await chat.ask("Hi!")
        charged, by_list = Decimal("0.003100000001"), Decimal("0.0045")
        await add_requests(backend, chat, [charged], price_source=REPORTED, list_cost=by_list)

        computed, reported = await chat.requests()

        assert (computed.cost_source, reported.cost_source) == ("computed", "reported")
        assert computed.list_cost == computed.cost == reply.cost
        assert (reported.cost, reported.list_cost) == (charged, by_list)
        usage = await chat.usage()
        assert (usage.reported_costs, usage.cost_source) == (1, "computed")
        assert usage.cost == charged + (computed.cost or 0)

    async def test_usage_counts_every_attempt(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([call("add", a=1, b=2)], [say("3")]), tools=[add])

        reply = await chat.ask("1 + 2?")

        usage = await chat.usage()
        assert usage == reply.usage
        assert usage.requests == 2
        assert usage.input_tokens == 100
