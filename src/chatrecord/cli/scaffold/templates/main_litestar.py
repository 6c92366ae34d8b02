"""A chat page. Start it with `python main.py`, and open http://127.0.0.1:8000."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import uvicorn
from chatrecord.sqlalchemy import Database
from chatrecord.web import chat_routes
from litestar import Litestar, MediaType, Request, Response, asgi, get
from litestar.types import Receive, Scope, Send
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest

from database import open_database, prepare

LLM = os.environ.get("CHAT_LLM", "test")
"""Such as openai:gpt-5.2, with OPENAI_API_KEY. "test" gives the same answer to everything."""

PAGE = Path(__file__).with_name("index.html")


def visitor(request: StarletteRequest) -> dict[str, object] | None:
    """Whose chats may be seen. Replace this by your sign-in: a cookie only knows a browser."""
    user = request.cookies.get("visitor")
    return {"user_id": user} if user else None


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def page(request: Request[object, object, object]) -> Response[bytes]:
    """The page of all chats of this browser."""
    response = Response(PAGE.read_bytes(), media_type=MediaType.HTML)
    if "visitor" not in request.cookies:
        response.set_cookie("visitor", uuid4().hex, httponly=True, samesite="lax")
    return response


def create_app(db: Database, llm: object = LLM) -> Litestar:
    """The application on this database."""
    routes = chat_routes(db, llm, owner=visitor, prefix="/api/chats", on_busy="interrupt")
    chats = Starlette(routes=routes)

    @asgi("/api/chats", is_mount=True, copy_scope=True)
    async def chat_pages(scope: Scope, receive: Receive, send: Send) -> None:
        path = unquote(scope["raw_path"].decode())  # Litestar cuts the prefix off `path`
        await chats({**scope, "path": path}, receive, send)

    async def start() -> None:
        await prepare(db)

    return Litestar([page, chat_pages], on_startup=[start], on_shutdown=[db.close])


app = create_app(open_database())

if __name__ == "__main__":
    uvicorn.run(app, port=8000, timeout_graceful_shutdown=3)
