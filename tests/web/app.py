"""A real server with scripted answers. A client names its script in a header: see `SCRIPTS`."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import uvicorn
from pydantic import BaseModel
from pydantic_ai import Agent, Tool
from pydantic_ai.messages import (
    BinaryContent,
    Citation,
    FilePart,
    ModelMessage,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    WebCitationSource,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, call, fail, meet, say, think
from chatrecord.web import chat_routes

SECRET = "password=hunter2 at 10.1.2.3"
"""What an exception of a provider or a tool says, and nobody outside is to read."""

WORDS = [f"word{number} " for number in range(25)]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def pay(euros: int) -> dict[str, int]:
    """Pay so much."""
    return {"paid": euros}


def crash() -> None:
    """Fail."""
    raise RuntimeError(SECRET)


SCRIPTS: dict[str, Callable[[], Script]] = {
    "hello": lambda: Script([say("Hello ", "there, ", "Zoë \U0001f642 </script>\n\n", "bye.")]),
    "other": lambda: Script([say("Something ", "else.")]),
    "slow": lambda: Script([say(*WORDS, pause=0.04)]),
    "slower": lambda: Script([say(*WORDS, pause=0.2)]),
    "late": lambda: Script([meet(lambda: asyncio.sleep(0.7)), say("At last.")]),
    "tools": lambda: Script(
        [think("Let me ", "add."), say("I add. "), call("add", "call-1", a=1, b=2)],
        [say("It is ", "three.")],
    ),
    "pay": lambda: Script([say("I pay. "), call("pay", "pay-1", euros=90)]),
    "pay-two": lambda: Script(
        [
            call("pay", "pay-1", euros=1),
            call("pay", "pay-2", euros=2),
            call("add", "call-1", a=1, b=1),
        ]
    ),
    "paid": lambda: Script([say("That ", "is settled.")]),
    "broken": lambda: Script([say("The policy ", "says ", pause=0.1), fail(OSError(SECRET))]),
    "refused": lambda: Script([fail(OSError(SECRET))]),
    "crash": lambda: Script([call("crash", "crash-1")], [say("Never mind.")]),
}


class Invoice(BaseModel):
    """What a typed answer is."""

    number: str
    total: int


def invoice() -> Script:
    return Script([call("final_result", "out-1", number="A-1", total=12)])


PICTURE = b"\x89PNG\r\n\x1a\n picture"


def made(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """An answer with a search of the provider, its source, and a picture."""
    source = WebCitationSource("https://example.com/rome", title="Rome")
    return ModelResponse(
        [
            ThinkingPart("I search."),
            TextPart("I look. "),
            NativeToolCallPart("web_search", {"query": "Rome"}, "own-1"),
            NativeToolReturnPart("web_search", [{"hit": 1}], "own-1"),
            TextPart("Rome ", citations=[Citation([source])]),
            TextPart("is sunny.", citations=[Citation([source])]),
            FilePart(BinaryContent(PICTURE, media_type="image/png")),
        ]
    )


def owner(request: Request) -> dict[str, object] | None:
    user = request.headers.get("x-user")
    return None if user is None else {"user_id": user}


def llm(request: Request, scope: object) -> FunctionModel:
    if request.headers.get("x-script") == "made":
        return FunctionModel(made)
    return SCRIPTS[request.headers.get("x-script", "hello")]()


def main(url: str) -> None:
    db = Database(url, lease=timedelta(seconds=2))
    tools = [add, crash, Tool(pay, requires_approval=True)]

    def options(request: Request, _scope: object) -> dict[str, object]:
        on_busy = request.headers.get("x-on-busy", "reject")
        return {"tools": tools, "retries": 0, "on_busy": on_busy}

    shared: dict[str, Any] = {"owner": owner, "heartbeat": 0.2, "max_body": 50_000}
    routes = [
        *chat_routes(db, llm, prefix="/chats", options=options, **shared),
        *chat_routes(
            db, llm, prefix="/named", options=options, create_on_first_message=True, **shared
        ),
    ]

    def typed(request: Request, scope: object) -> Agent[None, Invoice]:
        return Agent(invoice(), output_type=Invoice)

    routes += chat_routes(db, typed, owner=owner, prefix="/typed/chats")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await db.create_tables()
        yield
        await db.close()

    app = Starlette(routes=routes, lifespan=lifespan)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    server.run([listening])


if __name__ == "__main__":
    main(sys.argv[1])
