"""What a model makes is shown as pydantic-ai's own adapter for the AI SDK shows it."""

from __future__ import annotations

import json
from typing import Any

import httpx
from pydantic_ai.messages import ModelRequest
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.ui.vercel_ai import VercelAIAdapter
from starlette.applications import Starlette

from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, call, fail
from chatrecord.web import chat_routes

from .app import made

USER = {"user_id": "ann"}
QUESTION = {"id": "q", "role": "user", "parts": [{"type": "text", "text": "Draw Rome"}]}


async def asked(db: Database, llm: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The chunks of an answer, and its parts in the history."""
    routes = chat_routes(db, llm, owner=lambda _: USER, prefix="/chats", version=7, retries=0)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        chat_id = (await page.post("/chats/new", json={})).json()["id"]
        answer = await page.post("/chats", json={"id": chat_id, "messages": [QUESTION]})
        history = (await page.get(f"/chats/{chat_id}")).json()["messages"]
    frames = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    return [json.loads(frame) for frame in frames[:-1]], history[-1]["parts"]


async def test_parts_are_those_of_pydantic_ai() -> None:
    messages = [ModelRequest.user_text_prompt("Draw Rome"), made([], None)]  # type: ignore[arg-type]
    theirs = [
        part.model_dump(by_alias=True, exclude_none=True, mode="json")
        for part in VercelAIAdapter.dump_messages(messages, sdk_version=6)[-1].parts
    ]
    async with Database("sqlite://") as db:
        await db.create_tables()
        chunks, ours = await asked(db, FunctionModel(made))

    assert [_known(part) for part in ours[1:]] == [_known(part) for part in theirs]
    shown = [chunk["type"] for chunk in chunks if chunk["type"].startswith(("tool", "s", "file"))]
    assert shown == [
        "start", "start-step", "tool-input-available", "tool-output-available", "source-url", "file",
    ]  # fmt: skip


def _known(part: dict[str, Any]) -> dict[str, Any]:
    """A part without what only pydantic-ai sends along, and without the address of a file."""
    left_out = ("url",) if part["type"] == "file" else ()
    known = {
        key: value
        for key, value in part.items()
        if not key.endswith("Metadata") and key not in (*left_out, "filename")
    }
    if part["type"] == "text":
        known["text"] = part["text"].lstrip("\n")
    return known


async def test_arguments_that_break_off_end_as_an_error() -> None:
    """A page would wait for the rest of them."""
    script = Script([call("add", "c1", arguments='{"a": 1,'), fail(OSError("gone"))])
    async with Database("sqlite://") as db:
        await db.create_tables()
        chunks, parts = await asked(db, script)

    of_call = [chunk for chunk in chunks if chunk.get("toolCallId") == "c1"]
    kinds = [chunk["type"] for chunk in of_call]
    assert kinds[0] == "tool-input-start"
    assert kinds[-1] == "tool-output-error"
    assert "".join(chunk.get("inputTextDelta", "") for chunk in of_call) == '{"a": 1,'
    assert [part["type"] for part in parts] == ["step-start"]
