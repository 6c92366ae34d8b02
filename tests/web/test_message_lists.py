"""Clients without words for regenerate and edit: what their list of messages asks for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import httpx
import pytest
from pydantic_ai.messages import ModelMessage, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import event
from starlette.applications import Starlette

from chatrecord.errors import Refused
from chatrecord.hooks import Hook, Sending
from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, meet, say
from chatrecord.web import chat_routes

Messages: TypeAlias = list[dict[str, Any]]


class Gate(Hook):
    """Refuses what is bad, and holds up what is slow."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.refuses = False

    async def before_request(self, sending: Sending) -> None:
        if "bad" in _asked(sending.messages) or self.refuses:
            raise Refused("No.")
        if "slow" in _asked(sending.messages):
            await self.opened.wait()


def _asked(messages: Any) -> str:
    prompts = [part for each in messages for part in each.parts]
    return [str(part.content) for part in prompts if isinstance(part, UserPromptPart)][-1]


class Page:
    """A page that holds its own list of messages, with ids of its own."""

    def __init__(
        self, web: httpx.AsyncClient, chat_id: str, gate: Gate, path: str = "/chats"
    ) -> None:
        self._web = web
        self._path = path
        self._chat_id = chat_id
        self.gate = gate

    async def run(self, run_id: str, *messages: tuple[str, str], **headers: str) -> httpx.Response:
        """An AG-UI client's run. Ids that start with "a" are answers."""
        body = {"threadId": self._chat_id, "runId": run_id, "tools": [], "context": []}
        listed = [{"id": name, "role": _role(name), "content": text} for name, text in messages]
        return await self._web.post(self._path, json={**body, "messages": listed}, headers=headers)

    async def send(self, *messages: tuple[str, str], **fields: object) -> httpx.Response:
        """What a client of the AI SDK's sends."""
        listed = [
            {"id": name, "role": _role(name), "parts": [{"type": "text", "text": text}]}
            for name, text in messages
        ]
        return await self._web.post(
            "/chats", json={"id": self._chat_id, "messages": listed, **fields}
        )

    async def history(self) -> list[str]:
        shown = (await self._web.get(f"{self._path.rstrip('/')}/{self._chat_id}")).json()[
            "messages"
        ]
        return ["".join(part.get("text", "") for part in each["parts"]) for each in shown]

    async def client_ids(self) -> list[str]:
        shown = (await self._web.get(f"{self._path.rstrip('/')}/{self._chat_id}")).json()[
            "messages"
        ]
        return [each["metadata"]["clientId"] for each in shown if each["role"] == "user"]


def _role(message_id: str) -> str:
    return "assistant" if message_id.startswith("a") else "user"


@pytest.fixture
async def page(sqlite_url: str) -> AsyncIterator[Page]:
    times = Counter[str]()

    async def echo(messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        question = _asked(messages)
        times[question] += 1
        yield f"Answer {times[question]} to {question}"
        if question.startswith("flaky") and times[question] == 1:
            raise OSError

    gate = Gate()
    async with Database(sqlite_url) as db:
        model = FunctionModel(stream_function=echo, model_name="echo")
        options: dict[str, Any] = {"retries": 0, "hooks": [gate]}
        routes = chat_routes(
            db, model, owner=lambda _: {"user_id": "ann"}, prefix="/chats", **options
        )
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            made = (await web.post("/chats/new", json={})).json()
            yield Page(web, made["id"], gate)


async def test_the_same_question_in_a_new_run_is_answered_again(page: Page) -> None:
    await page.run("r1", ("q1", "one"))

    await page.run("r2", ("q1", "one"))

    assert await page.history() == ["one", "Answer 2 to one"]


async def test_a_question_that_failed_is_answered_in_a_new_run(page: Page) -> None:
    await page.run("r1", ("q1", "flaky"))

    await page.run("r2", ("q1", "flaky"))

    assert await page.history() == ["flaky", "Answer 2 to flaky"]


async def test_an_earlier_answer_is_given_again_where_the_list_is_cut(page: Page) -> None:
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"), ("a1", "..."), ("q2", "two"))

    await page.run("r3", ("q1", "one"))

    assert await page.history() == ["one", "Answer 2 to one"]


@pytest.mark.parametrize("run_id", ["r1", "r2"])
async def test_the_same_run_sent_twice_is_one(page: Page, run_id: str) -> None:
    """Be it of a new question or of an answer given again."""
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"))

    again = await page.run(run_id, ("q1", "one"))

    assert "Answer 2 to one" in again.text
    assert await page.history() == ["one", "Answer 2 to one"]


async def test_the_same_runs_at_once_are_one(page: Page) -> None:
    await page.run("r1", ("q1", "one"))

    await asyncio.gather(*(page.run("r2", ("q1", "one")) for _ in range(4)))

    assert await page.history() == ["one", "Answer 2 to one"]


async def test_a_question_that_is_being_answered_is_not_answered_twice(page: Page) -> None:
    first = asyncio.create_task(page.run("r1", ("q1", "slow")))
    await asyncio.sleep(0.3)

    second = asyncio.create_task(page.run("r2", ("q1", "slow")))
    await asyncio.sleep(1.5)  # until it follows, on a busy machine too
    page.gate.opened.set()

    assert "Answer 1 to slow" in (await first).text
    assert "Answer 1 to slow" in (await second).text
    assert await page.history() == ["slow", "Answer 1 to slow"]


async def test_a_changed_question_is_an_edit(page: Page) -> None:
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"), ("a1", "..."), ("q2", "two"))

    await page.run("r3", ("q1", "uno"))

    assert await page.history() == ["uno", "Answer 1 to uno"]
    assert await page.client_ids() == ["q1"]


async def test_another_question_in_its_place_is_an_edit(page: Page) -> None:
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"), ("a1", "..."), ("q2", "two"))

    await page.run("r3", ("q1", "one"), ("a1", "..."), ("q3", "due"))

    assert await page.history() == ["one", "Answer 1 to one", "due", "Answer 1 to due"]
    assert await page.client_ids() == ["q1", "q3"]


async def test_an_edit_sent_twice_is_one(page: Page) -> None:
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"), ("q2", "two"))

    for _ in range(2):
        again = await page.run("r3", ("q1", "one"), ("q3", "due"))

    assert "Answer 1 to due" in again.text
    assert await page.history() == ["one", "Answer 1 to one", "due", "Answer 1 to due"]


async def test_an_edit_that_failed_is_an_edit_again(page: Page) -> None:
    await page.run("r1", ("q1", "one"))
    await page.run("r2", ("q1", "one"), ("q2", "two"))
    await page.run("r3", ("q1", "one"), ("q3", "flaky"))

    await page.run("r4", ("q1", "one"), ("q3", "flaky"))

    assert await page.history() == ["one", "Answer 1 to one", "flaky", "Answer 2 to flaky"]


async def test_a_question_after_one_that_never_arrived_is_new(page: Page) -> None:
    await page.run("r1", ("q1", "one"))

    await page.run("r2", ("q1", "one"), ("q2", "lost"), ("q3", "three"))

    assert await page.history() == ["one", "Answer 1 to one", "three", "Answer 1 to three"]


async def test_a_client_that_has_not_read_the_chat_adds_to_it(page: Page) -> None:
    await page.run("r1", ("q1", "one"))

    await page.run("r2", ("q2", "two"))

    assert await page.history() == ["one", "Answer 1 to one", "two", "Answer 1 to two"]


async def test_a_client_that_says_its_list_is_whole_edits_the_first_question(page: Page) -> None:
    await page.run("r1", ("q1", "one"))

    await page.run("r2", ("q2", "uno"), **{"x-chat-messages": "whole"})

    assert await page.history() == ["uno", "Answer 1 to uno"]


async def test_a_question_that_was_refused_may_be_put_differently(page: Page) -> None:
    await page.run("r1", ("q1", "bad"))

    await page.run("r2", ("q1", "good"))

    assert (await page.history())[-2:] == ["good", "Answer 1 to good"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_question_that_was_refused_is_known_once_it_is_answered(
    page: Page, times: int
) -> None:
    page.gate.refuses = True
    for number in range(times):
        await page.run(f"refused-{number}", ("q1", "one"))
    page.gate.refuses = False

    await asyncio.gather(*(page.run("r1", ("q1", "one")) for _ in range(3)))
    await page.run("r2", ("q1", "one"))
    await page.run("r3", ("q1", "uno"))

    assert await page.history() == ["uno", "Answer 1 to uno"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_retry_of_a_refused_question_is_known_once_it_is_answered(
    page: Page, times: int
) -> None:
    page.gate.refuses = True
    for _ in range(times):
        await page.send(("q1", "one"), trigger="regenerate-message")
    page.gate.refuses = False

    retry = {"trigger": "regenerate-message"}
    await asyncio.gather(*(page.send(("q1", "one"), **retry) for _ in range(3)))
    assert len(await page.history()) == 2
    await page.send(("q1", "one"), **retry)
    await page.send(("q1", "uno"), messageId="q1")

    assert await page.history() == ["uno", "Answer 1 to uno"]


async def test_runs_and_messages_may_have_the_same_ids(page: Page) -> None:
    await page.run("1", ("2", "one"))
    await page.run("2", ("2", "one"), ("1", "two"))

    await page.run("3", ("2", "one"), ("1", "two"))

    assert await page.history() == ["one", "Answer 1 to one", "two", "Answer 2 to two"]


async def test_a_message_without_an_id_is_one_question_of_its_run(page: Page) -> None:
    for _ in range(2):
        await page.run("r1", ("", "one"))

    assert await page.history() == ["one", "Answer 1 to one"]


async def test_an_edit_of_assistant_ui_replaces(page: Page) -> None:
    """Its list ends with a new message where the edited one was, and names none."""
    await page.send(("q1", "one"), tools={})
    await page.send(("q1", "one"), ("a1", "..."), ("q2", "two"), tools={})

    await page.send(("q1", "one"), ("a1", "..."), ("q3", "due"), tools={})

    assert await page.history() == ["one", "Answer 1 to one", "due", "Answer 1 to due"]


async def test_a_question_that_waits_is_one_however_often_it_is_sent(sqlite_url: str) -> None:
    """It has no row until its turn comes, which is no reason to take it for a refused one."""
    begun, finish = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await finish.wait()

    llm = Script([meet(wait), say("First.")], [say("Second.")], [say("Third.")])
    async with Database(sqlite_url) as db:
        routes = chat_routes(db, llm, owner=lambda _: {"user_id": "ann"}, on_busy="wait")
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            page = Page(web, (await web.post("/new", json={})).json()["id"], Gate(), path="/")
            first = asyncio.create_task(page.run("r1", ("q1", "one")))
            await begun.wait()
            sent = []
            for _ in range(2):
                sent.append(asyncio.create_task(page.run("r2", ("q1", "one"), ("q2", "two"))))
                await asyncio.sleep(0.7)  # until it stands in the line, on a busy machine too
            finish.set()
            told = await asyncio.gather(first, *sent)

            assert all("Second." in each.text for each in told[1:])
            assert await page.history() == ["one", "First.", "two", "Second."]


async def test_not_every_id_of_a_foreign_list_is_looked_up(sqlite_url: str) -> None:
    statements: list[str] = []
    async with Database(sqlite_url) as db:
        routes = chat_routes(db, Script([say("Yes.")]), owner=lambda _: {"user_id": "ann"})
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            page = Page(web, (await web.post("/new", json={})).json()["id"], Gate(), path="/")

            def listener(*told: Any) -> None:
                statements.append(told[2])

            event.listen(db.engine.sync_engine, "before_cursor_execute", listener)
            await page.run("r1", *((f"q{number}", "?") for number in range(2_000)))
            event.remove(db.engine.sync_engine, "before_cursor_execute", listener)

            assert await page.history() == ["?", "Yes."]
    assert len(statements) < 1_000


async def test_a_tab_of_use_chat_that_is_behind_adds_to_the_chat(page: Page) -> None:
    """It would name what it edits. What another tab has asked stays."""
    await page.send(("q1", "one"))
    await page.send(("q1", "one"), ("a1", "..."), ("q2", "two"))

    await page.send(("q1", "one"), ("a1", "..."), ("q3", "three"))

    assert (await page.history())[2:] == ["two", "Answer 1 to two", "three", "Answer 1 to three"]
