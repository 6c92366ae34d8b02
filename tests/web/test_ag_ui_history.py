"""The history as AG-UI clients hold it, what they may not send, and the title in a stream."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from ag_ui.core import Message
from pydantic import TypeAdapter
from pydantic_ai import Tool
from starlette.applications import Starlette

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, meet, say, think
from chatrecord.web import chat_routes

AG_UI = {"x-chat-protocol": "ag-ui"}
MESSAGE: TypeAdapter[Any] = TypeAdapter(Message)


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@asynccontextmanager
async def page_of(url: str, *answers: Any, **options: Any) -> AsyncIterator[tuple[Any, str]]:
    async with Database(url) as db:
        owner = {"user_id": "ann"}
        routes = chat_routes(db, Script(*answers), owner=lambda _: owner, **options)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            yield web, (await web.post("/new", json={})).json()["id"]


def run_of(chat_id: str, content: Any = "?", **fields: Any) -> dict[str, Any]:
    message = {"id": "q1", "role": "user", "content": content}
    return {"threadId": chat_id, "runId": "r1", "messages": [message], **fields}


def applied(stream: str) -> list[dict[str, Any]]:
    """What a client makes of a stream: each message with its words, each call with its result."""
    messages: dict[str, dict[str, Any]] = {}
    for line in stream.split("\n\n")[:-1]:
        event = json.loads(line.removeprefix("data: "))
        kind = event["type"]
        if kind in ("TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT"):
            role = "assistant" if kind.startswith("TEXT") else "reasoning"
            known = messages.setdefault(event["messageId"], {"role": role})
            known["content"] = known.get("content", "") + event["delta"]
        elif kind == "TOOL_CALL_START":
            parent = messages.setdefault(event["parentMessageId"], {"role": "assistant"})
            parent.setdefault("toolCalls", []).append(event["toolCallId"])
        elif kind == "TOOL_CALL_RESULT":
            result = {"role": "tool", "content": event["content"]}
            messages[event["messageId"]] = {**result, "toolCallId": event["toolCallId"]}
    return [{"id": name, **known} for name, known in messages.items()]


async def test_the_history_has_the_messages_of_the_stream(any_url: str) -> None:
    answers = [think("Hm. "), say("I add. "), call("add", "c1", a=1, b=2)], [say("It is 3.")]
    png = {"type": "data", "value": b64encode(b"\x89PNG").decode(), "mimeType": "image/png"}
    content = [{"type": "text", "text": "1 + 2?"}, {"type": "image", "source": png}]
    async with page_of(any_url, *answers, tools=[add]) as (web, chat_id):
        live = await web.post("/", json=run_of(chat_id, content))
        shown = (await web.get(f"/{chat_id}", headers=AG_UI)).json()["messages"]

    for message in shown:
        MESSAGE.validate_python(message)
    question, *answer = shown
    picture = {"type": "url", "value": question["content"][1]["source"]["value"]}
    assert question["content"] == [
        content[0],
        {"type": "image", "source": {**picture, "mimeType": "image/png"}},
    ]
    assert question["metadata"]["clientId"] == "q1"
    assert answer[-1]["metadata"]["status"] == "complete"
    plain = [
        {
            name: [each["id"] for each in value] if name == "toolCalls" else value
            for name, value in message.items()
            if name != "metadata"
        }
        for message in answer
    ]
    assert plain == applied(live.text)


async def test_a_parked_call_is_in_the_history(any_url: str) -> None:
    tools = [Tool(add, requires_approval=True)]
    async with page_of(any_url, [call("add", "c1", a=1, b=2)], tools=tools) as (web, chat_id):
        await web.post("/", json=run_of(chat_id))
        shown = (await web.get(f"/{chat_id}", headers=AG_UI)).json()

    (called,) = shown["messages"][1]["toolCalls"]
    assert called["function"] == {"name": "add", "arguments": '{"a":1,"b":2}'}
    assert shown["messages"][1]["metadata"]["status"] == "parked"
    assert shown["pendingApprovals"][0]["callId"] == "c1"


async def test_an_answer_that_is_being_given_is_left_to_its_stream(any_url: str) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        asked.set()
        await go.wait()

    answers = [call("add", "c1", a=1, b=2)], [meet(wait), say("3.")]
    async with page_of(any_url, *answers, tools=[add]) as (web, chat_id):
        asking = asyncio.create_task(web.post("/", json=run_of(chat_id)))
        await asyncio.wait_for(asked.wait(), 20)
        shown = (await web.get(f"/{chat_id}", headers=AG_UI)).json()
        go.set()
        await asking

    assert [message["role"] for message in shown["messages"]] == ["user"]
    assert shown["activeRun"] is not None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": [{"name": "open_page", "description": "", "parameters": {}}]}, "'open_page'"),
        ({"messages": [{"id": "t", "role": "tool", "toolCallId": "c9", "content": "ok"}]}, "'c9'"),
    ],
)
async def test_tools_of_an_ag_ui_page_are_refused_by_name(
    any_url: str, fields: dict[str, Any], named: str
) -> None:
    """The model would never hear of them, and the page would wait in vain."""
    async with page_of(any_url, [say("Hi.")]) as (web, chat_id):
        told = await web.post("/", json=run_of(chat_id, **fields))

    assert (told.status_code, told.json()["error"]["code"]) == (422, "invalid_body")
    assert named in told.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": {"open_page": {}}, "text": "?"}, "'open_page'"),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "tool-x", "toolCallId": "c9", "state": "output-available"}
                        ],
                    }
                ]
            },
            "'c9'",
        ),
    ],
)
async def test_tools_of_a_page_are_refused_by_name(
    any_url: str, fields: dict[str, Any], named: str
) -> None:
    async with page_of(any_url, [say("Hi.")]) as (web, chat_id):
        told = await web.post("/", json={"id": chat_id, **fields})

    assert (told.status_code, told.json()["error"]["code"]) == (422, "invalid_body")
    assert named in told.json()["error"]["message"]


@pytest.mark.parametrize("protocol", ["ai-sdk", "ag-ui", "sse"])
async def test_a_new_title_is_told_in_the_stream(
    sqlite_url: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatrecord.web.titles.TITLE_PATIENCE", 60)
    titles = Script([say("Greetings")])
    async with page_of(sqlite_url, [say("Hi.")], [say("Yes.")], titles=titles) as (web, chat_id):
        headers = {"x-chat-protocol": protocol}
        body: dict[str, Any] = {"id": chat_id, "text": "?"}
        first = await web.post(
            "/", json=run_of(chat_id) if protocol == "ag-ui" else body, headers=headers
        )
        second = await web.post("/", json={**body, "text": "And?"}, headers=headers)

    said = {
        "ai-sdk": '{"type":"data-title","data":{"title":"Greetings"},"transient":true}',
        "ag-ui": '{"type":"CUSTOM","name":"title","value":{"title":"Greetings"}}',
        "sse": 'event: title\ndata: {"title":"Greetings"}',
    }
    assert first.text.count(said[protocol]) == 1
    assert "Greetings" not in second.text


async def test_a_title_that_is_there_before_a_slow_reader_is_done_is_told(db: Database) -> None:
    chat = await create_chat(db, Script(), user_id="ann")
    script, owner = Script([say("Hi.")]), {"user_id": "ann"}
    app = Starlette(
        routes=chat_routes(db, script, owner=lambda _: owner, titles=Script([say("Hello")]))
    )
    body = json.dumps({"id": str(chat.id), "text": "?"}).encode()
    told, received = b"", iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, Any]:
        for message in received:
            return message
        return await asyncio.Future()  # it stays

    async def send(message: dict[str, Any]) -> None:
        nonlocal told
        told += message.get("body", b"")
        if b"Hi." in message.get("body", b""):
            while (await load_chat(db, script, chat.id)).title is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    await asyncio.wait_for(app(scope, receive, send), 30)

    assert told.count(b'"title":"Hello"') == 1


async def test_a_stream_does_not_wait_long_for_a_title(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatrecord.web.titles.TITLE_PATIENCE", 0.1)
    titles = Script([meet(asyncio.Event().wait), say("Never")])
    async with page_of(sqlite_url, [say("Hi.")], titles=titles) as (web, chat_id):
        told = await asyncio.wait_for(web.post("/", json={"id": chat_id, "text": "?"}), 10)

    assert '"status":"complete"' in told.text
    assert "title" not in told.text
