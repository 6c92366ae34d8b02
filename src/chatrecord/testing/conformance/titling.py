"""Titles that an LLM writes, and requests outside the transcript."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.errors import (
    AnswerInvalid,
    BudgetExceeded,
    HookFailed,
    NothingToResume,
    ProviderError,
    TimeLimitExceeded,
    TokenLimitExceeded,
)
from chatrecord.hooks import Hook, MaskPersonalData, Sending
from chatrecord.ids import new_id
from chatrecord.runs.process import Backend
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.spending.reports import Span
from chatrecord.store.changes import Changes
from chatrecord.testing.look import add_requests, load, new_chat, spoken, until
from chatrecord.testing.script import Script, call, fail, hang, meet, say

from .budgets import Priced
from .shared import add


class Failing(Hook):
    """Lets no side request pass."""

    def before_request(self, sending: Sending) -> None:
        if sending.is_side_request:
            msg = "not outside the transcript"
            raise RuntimeError(msg)


class TitlesAreWritten:
    """Titles that an LLM writes, and requests outside the transcript."""

    async def test_a_title_is_written_from_the_first_rounds(self, backend: Backend) -> None:
        script = Script([call("add", a=1, b=2)], [say("It is 3.")], [say("Good.")], [say("Ok.")])
        chat = await new_chat(backend, script, instructions="Be brief.", tools=[add])
        for question in ("What is 1 + 2?", "Thanks!", "And now?"):
            await chat.ask(question)
        before = await chat.messages()
        script.then([say('"Adding ', 'two numbers"\n')])

        title = await chat.generate_title()

        assert title == chat.title == (await load(backend, chat, Script())).title
        assert title == "Adding two numbers"
        ((who, asked),) = spoken(script.requests[-1])
        assert who == "user"
        for said in ("What is 1 + 2?", 'add({"a": 1, "b": 2})', "Result of add: 3", "It is 3."):
            assert said in asked
        assert "And now?" not in asked
        assert "Be brief." not in str(script.requests[-1])
        assert script.tools_offered[-1] == []
        assert await chat.messages() == before

    async def test_its_request_is_in_the_ledger_and_no_run(self, backend: Backend) -> None:
        user = str(uuid4())
        chat = await new_chat(backend, Priced([say("hello")]), user_id=user)
        await chat.ask("Hi!")
        before = await chat.usage()

        await chat.generate_title(llm=Priced([say("Greeting")]))

        request = (await chat.requests())[-1]
        assert (request.run_id, request.message_id, request.status) == (None, None, "complete")
        assert request.tokens.input
        assert request.cost
        assert request.latency_ms
        assert request.first_token_ms
        after = await chat.usage()
        assert after.requests == before.requests + 1 == 2
        assert (before.cost or 0) + request.cost == after.cost
        (row,) = await backend.store.report([], Span(None, None), {"user_id": user})
        assert row.usage.cost == after.cost

    async def test_a_title_does_not_wait_for_the_active_run(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hello")], [say("half"), hang()]))
        await chat.ask("Hi!")
        asking = asyncio.create_task(chat.ask("Tell me more"))
        await until(lambda: _is_active(chat))

        async with asyncio.timeout(5):
            assert await chat.generate_title(llm=Script([say("Greeting")])) == "Greeting"

        assert (await chat.active_run()) is not None
        assert await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)

    @pytest.mark.parametrize(
        ("answer", "title"),
        [
            ("\n\n«Äpfel  und\tBirnen»\nThat is a title.", "Äpfel und Birnen"),
            ("**Title:** # Apples", "Apples"),
            ("'It's fine'", "It's fine"),
            ("word " * 40, ("word " * 15).strip() + "…"),
            ("x" * 300, "x" * 79 + "…"),
        ],
    )
    async def test_a_title_is_one_clean_line(
        self, backend: Backend, answer: str, title: str
    ) -> None:
        chat = await new_chat(backend, Script([say("hello")], [say(answer)]))
        await chat.ask("Hi!")

        assert await chat.generate_title() == title

    async def test_failed_attempts_are_in_the_ledger_too(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hello")]), title="before", retries=1)
        await chat.ask("Hi!")
        refusals = [[fail(ModelHTTPError(503, "script"))] for _ in range(2)]

        with pytest.raises(ProviderError, match="503"):
            await chat.generate_title(llm=Script(*refusals))

        assert await chat.generate_title(llm=Script(*refusals[:1], [say("Greeting")])) == "Greeting"
        outcomes = [(row.status, row.http_status) for row in (await chat.requests())[1:]]
        assert outcomes == [("failed", 503)] * 3 + [("complete", None)]
        assert [message.status for message in await chat.messages()] == ["complete"] * 2

    async def test_what_is_no_title_is_not_stored(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hello")]), title="before")

        with pytest.raises(NothingToResume, match="no question"):
            await chat.generate_title()
        await chat.ask("Hi!")
        with pytest.raises(AnswerInvalid, match="no title"):
            await chat.generate_title(llm=Script([say(' "" ')]))

        assert (await load(backend, chat, Script())).title == "before"
        assert (await chat.requests())[-1].status == "complete"

    async def test_a_title_that_takes_too_long_is_given_up(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hello")]), limits=Limits(total_timeout=0.3))
        await chat.ask("Hi!")

        with pytest.raises(TimeLimitExceeded, match="title"):
            await chat.generate_title(llm=Script([say("Gr"), hang()]))

        assert (await chat.requests())[-1].status == "interrupted"

    async def test_hooks_see_it(self, backend: Backend) -> None:
        hooks = [MaskPersonalData()]
        chat = await new_chat(backend, Script([say("hello")]), hooks=hooks)
        await chat.ask("I am ann@example.com")
        script = Script([say("Greeting")])
        await chat.generate_title(llm=script)

        assert "ann@example.com" not in str(script.requests)
        assert "[EMAIL_" in str(script.requests)
        strict = await load(backend, chat, Script(), hooks=[Failing()])
        with pytest.raises(HookFailed, match="outside the transcript"):
            await strict.generate_title()
        assert len(await chat.requests()) == 2

    async def test_masked_rows_have_masked_titles(self, backend: Backend) -> None:
        chat = await new_chat(
            backend, Script([say("hello")]), hooks=[MaskPersonalData(rows="mask")]
        )
        await chat.ask("I am ann@example.com")

        title = await chat.generate_title(llm=Script([say("Mail of bob@example.com")]))

        assert "bob@" not in title
        assert (await load(backend, chat, Script())).title == title

    async def test_budgets_and_limits_hold(self, backend: Backend) -> None:
        user = str(uuid4())
        budgets = [Budget(cost=Decimal("0.10"), per="day", by="user_id")]
        chat = await new_chat(backend, Priced([say("hi")]), user_id=user, budgets=budgets)
        await chat.ask("Hi!")
        assert await chat.generate_title(llm=Priced([say("Greeting")])) == "Greeting"
        await add_requests(backend, chat, [Decimal("0.10")])
        script, requests = Priced(), len(await chat.requests())

        with pytest.raises(BudgetExceeded, match=user):
            await chat.generate_title(llm=script)
        limited = await load(backend, chat, script, limits=Limits(chat_tokens=1))
        with pytest.raises(TokenLimitExceeded):
            await limited.generate_title()

        assert script.requests == []
        assert len(await chat.requests()) == requests

    async def test_a_title_that_is_cancelled_leaves_nothing_open(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hello")]))
        await chat.ask("Hi!")
        script = Script([say("Gr"), hang()])
        titling = asyncio.create_task(chat.generate_title(llm=script))
        await until(lambda: _was_asked(script))

        titling.cancel()
        await asyncio.gather(titling, return_exceptions=True)

        assert (await chat.requests())[-1].status == "interrupted"
        assert (await load(backend, chat, Script())).title is None

    async def test_a_title_is_generated_once(self, backend: Backend) -> None:
        script = Script([fail(RuntimeError("cut"))], [say("a1")], [say("a2")], [say("a3")])
        writer = Script([fail(RuntimeError("no"))], [say("Greeting")])
        chat = await new_chat(backend, script, titles=writer, retries=0)

        with pytest.raises(ProviderError):
            await chat.ask("q0")
        assert writer.requests == []
        await chat.ask("q1")
        await until(lambda: _has_ended(chat, 3))
        assert chat.title is None
        await chat.ask("q2")
        await until(lambda: _has_title(chat))
        await chat.ask("q3")

        assert chat.title == (await load(backend, chat, Script())).title == "Greeting"
        assert len(writer.requests) == 2

    async def test_an_answer_does_not_wait_for_its_title(self, backend: Backend) -> None:
        writer = Script([hang()])
        chat = await new_chat(backend, Script([say("a1")], [say("a2")]), titles=writer)
        async with asyncio.timeout(20):
            await chat.ask("q1")
            await until(lambda: _was_asked(writer))
            await chat.ask("q2")

        assert len(writer.requests) == 1
        await backend.runtime.close()

        assert [row.status for row in await chat.requests() if row.run_id is None] == [
            "interrupted"
        ]

    async def test_a_title_that_was_given_meanwhile_stays(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        writer = Script([meet(gate.wait), say("Greeting")])
        chat = await new_chat(backend, Script([say("a1")], [say("a2")]), titles=writer)
        await chat.ask("q1")
        await until(lambda: _was_asked(writer))

        await (await load(elsewhere, chat, Script())).rename("Mine")
        gate.set()
        await until(lambda: _has_ended(chat, 2))

        assert (await load(elsewhere, chat, Script())).title == "Mine"

    async def test_a_chat_with_a_title_gets_no_other(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a1")]), title="Mine", titles=Script())

        await chat.ask("q1")

        assert chat.title == "Mine"
        assert len(await chat.requests()) == 1

    async def test_what_the_dead_have_left_open_is_ended(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a1")], [say("Greeting")]))
        await chat.ask("q1")
        await chat.generate_title()
        now, last = datetime.now(UTC), (await chat.requests())[-1]
        changes = Changes(chat.id)
        for hours in (0.5, 2):
            begun = now - timedelta(hours=hours)
            changes.add(replace(last, id=new_id(), status="running", started_at=begun))
        await backend.store.write(changes)

        await chats.repair(backend)

        rows = sorted(await chat.requests(), key=lambda row: row.started_at)
        assert [row.status for row in rows] == ["interrupted", "running", "complete", "complete"]
        assert "without a word" in str(rows[0].error)


async def _has_ended(chat: Chat, requests: int) -> bool:
    rows = await chat.requests()
    return len(rows) == requests and all(row.status != "running" for row in rows)


async def _has_title(chat: Chat) -> bool:
    return chat.title is not None


async def _was_asked(script: Script) -> bool:
    return bool(script.requests)


async def _is_active(chat: Chat) -> bool:
    return await chat.active_run() is not None
