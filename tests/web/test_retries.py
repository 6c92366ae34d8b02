"""A page that tries again: the question that it shows is the one that is answered."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import httpx
import pytest
from pydantic_ai.messages import ModelMessage, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatrecord.runs.policies import OnBusy
from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, meet, say
from chatrecord.web import chat_routes

Ui: TypeAlias = dict[str, Any]


def user(message_id: str, text: str) -> Ui:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


class Page:
    """A page with one chat, whose LLM says how often it was asked and what."""

    def __init__(self, web: httpx.AsyncClient, chat_id: str) -> None:
        self.web = web
        self.chat_id = chat_id

    async def send(self, message: Ui, **fields: object) -> httpx.Response:
        body = {"id": self.chat_id, "messages": [message], **fields}
        return await self.web.post("/chats", json=body)

    async def history(self) -> list[str]:
        shown = (await self.web.get(f"/chats/{self.chat_id}")).json()["messages"]
        return ["".join(part.get("text", "") for part in each["parts"]) for each in shown]


@pytest.fixture
async def page(any_url: str) -> AsyncIterator[Page]:
    asked = Counter[str]()

    async def echo(messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        prompts = [part for each in messages for part in each.parts]
        content = [part.content for part in prompts if isinstance(part, UserPromptPart)][-1]
        words = [content] if isinstance(content, str) else [it for it in content if type(it) is str]
        question = "".join(words) or "a picture"
        asked[question] += 1
        yield f"Answer {asked[question]} to {question}"
        if question == "broken" or (question.startswith("flaky") and asked[question] == 1):
            raise OSError

    async with Database(any_url) as db:
        model = FunctionModel(stream_function=echo, model_name="echo")
        owner = {"user_id": "ann"}
        routes = chat_routes(db, model, owner=lambda _: owner, prefix="/chats", retries=0)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            made = (await web.post("/chats/new", json={})).json()
            yield Page(web, made["id"])


async def test_a_retry_of_a_question_that_never_arrived_asks_it(page: Page) -> None:
    await page.send(user("q1", "one"))

    await page.send(user("q2", "two"), trigger="regenerate-message")

    assert await page.history() == ["one", "Answer 1 to one", "two", "Answer 1 to two"]


async def test_a_retry_after_a_failed_edit_edits(page: Page) -> None:
    await page.send(user("q1", "one"))
    await page.send(user("q1", "flaky two"), messageId="q1")

    await page.send(user("q1", "flaky two"), trigger="regenerate-message")

    assert await page.history() == ["flaky two", "Answer 2 to flaky two"]


async def test_a_retry_of_a_question_that_was_answered_regenerates_its_answer(page: Page) -> None:
    await page.send(user("q1", "one"))

    await page.send(user("q1", "one"), trigger="regenerate-message")

    assert await page.history() == ["one", "Answer 2 to one"]


async def test_a_retry_of_a_question_without_an_id_goes_by_its_text(page: Page) -> None:
    await page.send(user("q1", "one"))

    await page.send(user("", "two"), trigger="regenerate-message")
    await page.send(user("", "two"), trigger="regenerate-message")

    assert await page.history() == ["one", "Answer 1 to one", "two", "Answer 2 to two"]


async def test_an_answer_that_is_unknown_is_not_regenerated(page: Page) -> None:
    """The last answer would be replaced, which nobody asked for."""
    await page.send(user("q1", "one"))

    body = {"id": page.chat_id, "trigger": "regenerate-message", "messageId": "unknown"}
    told = await page.web.post("/chats", json=body)

    assert told.status_code == 404
    assert await page.history() == ["one", "Answer 1 to one"]


async def test_a_regeneration_that_failed_can_be_tried_over_and_over(page: Page) -> None:
    await page.send(user("q1", "broken"))

    for _ in range(3):
        told = await page.send(user("q1", "broken"), trigger="regenerate-message")

    assert "Answer 4 to broken" in told.text


async def test_a_picture_needs_no_words(page: Page) -> None:
    png = b64encode(b"\x89PNG\r\n\x1a\n").decode()
    picture = {"type": "file", "mediaType": "image/png", "url": f"data:image/png;base64,{png}"}

    sent = await page.send({"id": "q1", "role": "user", "parts": [picture]})

    assert sent.status_code == 200
    assert await page.history() == ["", "Answer 1 to a picture"]


async def test_a_message_of_nothing_is_refused(page: Page) -> None:
    sent = await page.send(user("q1", " "))

    assert sent.status_code == 422
    assert "send a text, a file, or both" in sent.json()["error"]["message"]


class Counted:
    """A site that counts the answers that it has begun to send."""

    def __init__(self, site: ASGIApp) -> None:
        self._site = site
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            self._answering += message["type"] == "http.response.start"
            await send(message)

        await self._site(scope, receive, counted)

    async def until_answering(self, answers: int) -> None:
        async with asyncio.timeout(30):
            while self._answering < answers:  # noqa: ASYNC110 - several wait, each for its number
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("on_busy", ["reject", "wait", "interrupt"])
@pytest.mark.parametrize(
    ("text", "fields"),
    [("one", {"trigger": "regenerate-message"}), ("uno", {"messageId": "q1"})],
    ids=["regenerate", "edit"],
)
async def test_a_retry_sent_twice_is_one_run(
    any_url: str, on_busy: OnBusy, text: str, fields: dict[str, str]
) -> None:
    """Whatever a busy chat does with other questions."""
    begun, finish = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await finish.wait()

    llm = Script([say("First.")], [meet(wait), say("Second.")])
    async with Database(any_url) as db:
        routes = chat_routes(db, llm, owner=lambda _: {"user_id": "ann"}, on_busy=on_busy)
        site = Counted(Starlette(routes=routes))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(site), base_url="http://test"
        ) as web:
            chat_id = (await web.post("/new", json={})).json()["id"]
            await web.post("/", json={"id": chat_id, "messages": [user("q1", "one")]})

            body = {"id": chat_id, "messages": [user("q1", text)], **fields}
            first = asyncio.create_task(web.post("/", json=body))
            await begun.wait()
            second = asyncio.create_task(web.post("/", json=body))
            await site.until_answering(4)
            finish.set()

            assert "Second." in (await first).text
            assert "Second." in (await second).text
    assert len(llm.requests) == 2


@pytest.mark.parametrize("on_busy", ["reject", "wait", "interrupt"])
@pytest.mark.parametrize(
    ("text", "fields"),
    [("one", {"trigger": "regenerate-message"}), ("uno", {"messageId": "q1"})],
    ids=["regenerate", "edit"],
)
async def test_retries_sent_at_once_are_one_run_in_any_process(
    any_url: str, on_busy: OnBusy, text: str, fields: dict[str, str]
) -> None:
    """None of them has seen that another has begun."""
    llm = Script([say("First.")], *[[say("Sec", "ond.", pause=0.4)] for _ in range(6)])

    def site(db: Database) -> httpx.AsyncClient:
        routes = chat_routes(db, llm, owner=lambda _: {"user_id": "ann"}, on_busy=on_busy)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        return httpx.AsyncClient(transport=transport, base_url="http://test")

    async with (
        Database(any_url) as here,
        Database(any_url) as there,
        site(here) as one,
        site(there) as two,
    ):
        chat_id = (await one.post("/new", json={})).json()["id"]
        await one.post("/", json={"id": chat_id, "messages": [user("q1", "one")]})

        body = {"id": chat_id, "messages": [user("q1", text)], **fields}
        told = await asyncio.gather(*(web.post("/", json=body) for web in (one, two) * 3))
        shown = (await one.get(f"/{chat_id}")).json()["messages"]

    assert [each.status_code for each in told] == [200] * 6
    assert all("ond." in each.text for each in told)
    assert len(llm.requests) == 2
    assert [each["parts"][-1]["text"] for each in shown] == [text, "Second."]
