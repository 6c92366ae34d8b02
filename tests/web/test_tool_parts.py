"""Tool calls in a page: each has its own part, which ends with its run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic_ai import Tool
from starlette.applications import Starlette

from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, call, say
from chatrecord.web import chat_routes


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


def chunks_of(stream: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]


def outputs(stream: str) -> dict[str, Any]:
    told = [each for each in chunks_of(stream) if each["type"] == "tool-output-available"]
    return {each["toolCallId"]: each["output"] for each in told}


async def parts(web: httpx.AsyncClient, chat_id: str) -> dict[str, dict[str, Any]]:
    shown = (await web.get(f"/{chat_id}")).json()["messages"][-1]
    return {part["toolCallId"]: part for part in shown["parts"] if "toolCallId" in part}


async def test_an_id_used_twice_in_a_run_is_two_parts(sqlite_url: str) -> None:
    answers = [call("add", "call_0", a=1, b=1)], [call("add", "call_0", a=2, b=2)], [say("4.")]
    async with page_of(sqlite_url, *answers, tools=[add]) as (web, chat_id):
        live = await web.post("/", json={"id": chat_id, "text": "?"})
        again = await parts(web, chat_id)

    assert outputs(live.text) == {"call_0": 2, "call_0-2": 4}
    assert {name: part["output"] for name, part in again.items()} == {"call_0": 2, "call_0-2": 4}


@pytest.mark.parametrize("by_route", [False, True])
async def test_the_second_call_with_an_id_is_the_one_that_is_approved(
    sqlite_url: str, by_route: bool
) -> None:
    def pay(euros: int) -> str:
        """Pay."""
        return f"paid {euros}"

    answers = [call("add", "call_0", a=1, b=1)], [call("pay", "call_0", euros=5)], [say("Paid.")]
    tools = [add, Tool(pay, requires_approval=True)]
    async with page_of(sqlite_url, *answers, tools=tools) as (web, chat_id):
        asked = await web.post("/", json={"id": chat_id, "text": "?"})
        (waiting,) = (await web.get(f"/{chat_id}")).json()["pendingApprovals"]
        if by_route:
            await web.post(f"/{chat_id}/approve", json={"callId": "call_0-2"})
            told = await web.post(f"/{chat_id}/resume")
        else:
            approval = {"id": "call_0-2", "approved": True}
            decided = {"state": "approval-responded", "approval": approval}
            message = {"role": "assistant", "parts": [decided]}
            told = await web.post("/", json={"id": chat_id, "messages": [message]})
        again = await parts(web, chat_id)

    assert '"approvalId":"call_0-2"' in asked.text
    assert waiting["callId"] == "call_0-2"
    assert outputs(told.text)["call_0-2"] == "paid 5"
    assert again["call_0-2"]["output"] == "paid 5"


@pytest.mark.parametrize("protocol", ["ai-sdk", "ag-ui", "sse"])
async def test_a_stop_inside_a_tool_ends_its_part(sqlite_url: str, protocol: str) -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        """Wait for very long."""
        waiting.set()
        await asyncio.sleep(60)

    answers = [[call("wait", "call_0")]]
    async with page_of(sqlite_url, *answers, tools=[wait]) as (web, chat_id):
        body: dict[str, Any] = {"id": chat_id, "text": "?"}
        if protocol == "ag-ui":
            message = {"id": "q1", "role": "user", "content": "?"}
            body = {"threadId": chat_id, "runId": "r1", "messages": [message]}
        asking = asyncio.create_task(
            web.post("/", json=body, headers={"x-chat-protocol": protocol})
        )
        await asyncio.wait_for(waiting.wait(), 20)
        await web.post(f"/{chat_id}/stop")
        live = (await asking).text

    results = {
        "ai-sdk": '{"type":"tool-output-error","toolCallId":"call_0",',
        "ag-ui": '"toolCallId":"call_0","content":"This call was interrupted."',
        "sse": '"status":"interrupted","error":"This call was interrupted."',
    }
    assert live.count(results[protocol]) == 1


async def _messages(web: httpx.AsyncClient, chat_id: str) -> list[Any]:
    return (await web.get(f"/{chat_id}")).json()["messages"]


async def test_the_metadata_of_a_question_is_kept(sqlite_url: str) -> None:
    async with page_of(sqlite_url, [say("Yes.")]) as (web, chat_id):
        question = {"id": "q1", "role": "user", "parts": [{"type": "text", "text": "?"}]}
        metadata = {"mood": "curious", "clientId": "mine", "deep": [1, {"a": None}]}
        await web.post("/", json={"id": chat_id, "messages": [{**question, "metadata": metadata}]})
        shown = (await _messages(web, chat_id))[0]
        long = {**question, "id": "q2", "metadata": {"a": "b" * 20_000}}
        refused = await web.post("/", json={"id": chat_id, "messages": [long]})

    assert shown["metadata"] == {
        **metadata,
        "clientId": "q1",
        "createdAt": shown["metadata"]["createdAt"],
    }
    assert refused.status_code == 422
