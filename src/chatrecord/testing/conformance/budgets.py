"""What an owner may spend, whichever process spends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from chatrecord.chats.chat import Chat
from chatrecord.errors import BudgetExceeded, UnknownPrice
from chatrecord.hooks import BudgetWarning, Hook
from chatrecord.runs.process import Backend
from chatrecord.spending.budgets import Budget
from chatrecord.testing.look import add_requests, die, has_journal, load, new_chat, until
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add


class Priced(Script):
    """A script that goes by the name of a model whose price is known."""

    model_name = "gpt-4o"
    system = "openai"


class Heard(Hook):
    """Keeps the warnings of budgets."""

    def __init__(self) -> None:
        self.warnings: list[BudgetWarning] = []

    async def on_budget_warning(self, warning: BudgetWarning) -> None:
        self.warnings.append(warning)


class BudgetsAreKept:
    """What an owner may spend, whichever process spends it."""

    async def test_a_budget_is_of_an_owner_and_says_whose(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        ann, bob = str(uuid4()), str(uuid4())
        budgets = [Budget(cost=Decimal("0.10"), per="day", by="user_id")]
        first = await new_chat(backend, Priced([say("hi")]), user_id=ann, budgets=budgets)
        await first.ask("Hi!")
        await add_requests(backend, first, [Decimal("0.10")])
        script = Priced()
        second = await new_chat(elsewhere, script, user_id=ann, budgets=budgets)

        with pytest.raises(BudgetExceeded, match=ann) as refusal:
            await second.ask("Hi!")

        assert (refusal.value.by, refusal.value.whose) == ("user_id", ann)
        renews_at = refusal.value.renews_at
        assert renews_at is not None
        assert timedelta(0) < renews_at - datetime.now(UTC) <= timedelta(days=1)
        assert script.requests == []
        assert await second.requests() == []
        assert [message.status for message in await second.messages()] == ["complete", "failed"]
        others = await new_chat(elsewhere, Priced([say("hi")]), user_id=bob, budgets=budgets)
        assert (await others.ask("Hi!")).text == "hi"

    async def test_a_budget_renews(self, backend: Backend) -> None:
        user = str(uuid4())
        chat = await new_chat(backend, Priced([say("hi")], [say("ho")], [say("no")]), user_id=user)
        await chat.ask("Hi!")
        yesterday = datetime.now(UTC) - timedelta(days=1)
        await add_requests(backend, chat, [Decimal(5)], started_at=yesterday)
        day = Budget(cost=Decimal(5), per="day", by="user_id")
        ever = Budget(cost=Decimal(5), by="user_id")
        llm = Priced([say("ho")])

        assert (await (await load(backend, chat, llm, budgets=[day])).ask("Hi!")).text == "ho"
        with pytest.raises(BudgetExceeded, match="never renews"):
            await (await load(backend, chat, llm, budgets=[day, ever])).ask("Hi!")

    async def test_every_request_of_a_run_is_checked(self, backend: Backend) -> None:
        script = Script([call("add", a=1, b=2)], [call("add", a=3, b=4)], [say("3")])
        budget = Budget(tokens=100, by="chat_id")
        chat = await new_chat(backend, script, tools=[add], budgets=[budget])

        with pytest.raises(BudgetExceeded, match="tokens"):
            await chat.ask("1 + 2?")

        used = (await chat.usage()).total_tokens
        before = used - [request.tokens for request in await chat.requests()][-1].input  # type: ignore[operator]
        assert before < 100 <= used
        assert len(script.requests) == len(await chat.requests()) == 2
        assert [row.status for row in await chat.tool_calls()] == ["complete", "complete"]

    @pytest.mark.parametrize("most", [None, Decimal("0.02")])
    async def test_two_processes_overspend_by_one_request_at_most(
        self, backend: Backend, elsewhere: Backend, most: Decimal | None
    ) -> None:
        user, answer = str(uuid4()), "word " * 300
        budget = Budget(cost=Decimal("0.02"), per="month", by="user_id", most=most)

        async def spend(where: Backend) -> Chat:
            script = Priced(*[[say(answer, pause=0.01)] for _ in range(20)])
            chat = await new_chat(where, script, user_id=user, budgets=[budget])
            with suppress(BudgetExceeded):
                for n in range(20):
                    await chat.ask(f"{n}?")
            assert len(script.requests) < 20, "the budget was never used up"
            return chat

        chats = await asyncio.gather(*(spend(where) for where in (backend, elsewhere) * 3))

        costs = [request.cost for chat in chats for request in await chat.requests()]
        spent = sum(cost or Decimal(0) for cost in costs)
        assert budget.cost is not None
        assert budget.cost <= spent < budget.cost + max(cost or Decimal(0) for cost in costs)
        assert None not in costs

    async def test_a_run_does_not_wait_for_itself(self, backend: Backend) -> None:
        script = Script(
            [call("unknown")],
            [call("add", a="x")],
            [fail(ModelHTTPError(429, "script"))],
            [say("3")],
        )
        budget = Budget(tokens=1_000, by="chat_id")
        chat = await new_chat(backend, script, tools=[add], budgets=[budget], retries=1)

        async with asyncio.timeout(10):
            assert (await chat.ask("1 + 2?")).text == "3"

        used = (await chat.usage()).total_tokens
        spent = Budget(tokens=used, by="chat_id")
        again = await load(backend, chat, Script(), budgets=[spent])
        with pytest.raises(BudgetExceeded):
            await again.ask("Once more?")

    async def test_a_request_of_a_dead_process_blocks_nobody(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        user = str(uuid4())
        budgets = [Budget(tokens=10_000, by="user_id")]
        chat = await new_chat(backend, Script([say("half"), hang()]), user_id=user, budgets=budgets)
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        other = await new_chat(elsewhere, Script([say("hi")]), user_id=user, budgets=budgets)
        waiting = asyncio.create_task(other.ask("Hi!"))
        await asyncio.sleep(0.3)
        assert not waiting.done(), "the answer under way might use up the rest"

        await die(backend, chat)

        assert (await waiting).text == "hi"
        asking.cancel()

    async def test_a_budget_in_dollars_needs_a_price(self, backend: Backend) -> None:
        budget = Budget(cost=Decimal(1), by="chat_id")
        chat = await new_chat(backend, Script([say("hi")]), budgets=[budget])

        with pytest.raises(UnknownPrice, match="in tokens instead"):
            await chat.ask("Hi!")

    async def test_requests_of_unknown_cost_count_as_the_most(self, backend: Backend) -> None:
        """Or a budget for a server without a price would never be used up."""
        budget = Budget(cost=Decimal("0.02"), by="chat_id", most=Decimal("0.01"))
        chat = await new_chat(backend, Script([say("one")], [say("two")]), budgets=[budget])
        await chat.ask("1?")
        await chat.ask("2?")

        with pytest.raises(BudgetExceeded):
            await chat.ask("3?")

    async def test_a_budget_warns_once_before_it_is_used_up(self, backend: Backend) -> None:
        user = str(uuid4())
        heard = Heard()
        budget = Budget(cost=Decimal(1), per="day", by="user_id", warn_at=0.8)
        script = Priced(*[[say("hi")] for _ in range(5)])
        chat = await new_chat(backend, script, user_id=user, budgets=[budget], hooks=[heard])
        await chat.ask("1?")
        await add_requests(backend, chat, [Decimal("0.79")])
        await chat.ask("2?")
        assert heard.warnings == []
        await add_requests(backend, chat, [Decimal("0.01")])

        await chat.ask("3?")
        await chat.ask("4?")

        (warning,) = heard.warnings
        assert (warning.by, warning.whose, warning.cost) == ("user_id", user, Decimal(1))
        assert Decimal("0.8") <= (warning.used.cost or 0) < 1
        assert (warning.since, warning.chat_id) == (budget.since(datetime.now(UTC)), chat.id)
        await add_requests(backend, chat, [Decimal(1)])
        with pytest.raises(BudgetExceeded):
            await chat.ask("5?")
        assert len(heard.warnings) == 1

    async def test_a_budget_that_is_used_up_at_once_warns_too(self, backend: Backend) -> None:
        heard = Heard()
        budget = Budget(tokens=10, by="chat_id", warn_at=1)
        script = Script([say("word " * 20)])
        chat = await new_chat(backend, script, budgets=[budget], hooks=[heard])
        await chat.ask("Hi!")
        assert heard.warnings == []

        with pytest.raises(BudgetExceeded):
            await chat.ask("Hi!")

        (warning,) = heard.warnings
        assert (warning.whose, warning.tokens, warning.renews_at) == (chat.id, 10, None)

    async def test_a_budget_is_by_a_column_that_there_is(self, backend: Backend) -> None:
        with pytest.raises(ValueError, match="user_id"):
            await new_chat(backend, Script(), budgets=[Budget(tokens=1, by="mood")])
        with pytest.raises(ValueError, match="cost= or tokens="):
            Budget(per="day")
