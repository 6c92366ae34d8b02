"""A chat page. Start it with `python main.py`, and open http://127.0.0.1:8000."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import uvicorn
from chatrecord.sqlalchemy import Database
from chatrecord.web import chat_routes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from database import open_database, prepare

LLM = os.environ.get("CHAT_LLM", "test")
"""Such as openai:gpt-5.2, with OPENAI_API_KEY. "test" gives the same answer to everything."""

PAGE = Path(__file__).with_name("index.html")


def visitor(request: Request) -> dict[str, object] | None:
    """Whose chats may be seen. Replace this by your sign-in: a cookie only knows a browser."""
    user = request.cookies.get("visitor")
    return {"user_id": user} if user else None


async def page(request: Request) -> FileResponse:
    """The page of all chats of this browser."""
    response = FileResponse(PAGE)
    if "visitor" not in request.cookies:
        response.set_cookie("visitor", uuid4().hex, httponly=True, samesite="lax")
    return response


def create_app(db: Database, llm: object = LLM) -> Starlette:
    """The application on this database."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await prepare(db)
        yield
        await db.close()

    routes = chat_routes(db, llm, owner=visitor, prefix="/api/chats", on_busy="interrupt")
    return Starlette(routes=[Route("/", page), *routes], lifespan=lifespan)


app = create_app(open_database())

if __name__ == "__main__":
    uvicorn.run(app, port=8000, timeout_graceful_shutdown=3)
