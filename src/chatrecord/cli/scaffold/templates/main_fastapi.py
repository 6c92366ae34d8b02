"""A chat page. Start it with `python main.py`, and open http://127.0.0.1:8000."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import uvicorn
from chatrecord.fastapi import chat_router
from chatrecord.sqlalchemy import Database
from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse

from database import open_database, prepare

LLM = os.environ.get("CHAT_LLM", "test")
"""Such as openai:gpt-5.2, with OPENAI_API_KEY. "test" gives the same answer to everything."""

PAGE = Path(__file__).with_name("index.html")


def visitor(request: Request) -> dict[str, object] | None:
    """Whose chats may be seen. Replace this by your sign-in: a cookie only knows a browser."""
    user = request.cookies.get("visitor")
    return {"user_id": user} if user else None


def create_app(db: Database, llm: object = LLM) -> FastAPI:
    """The application on this database."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await prepare(db)
        yield
        await db.close()

    app = FastAPI(title="Chats", lifespan=lifespan)
    app.include_router(
        chat_router(db, llm, owner=Depends(visitor), on_busy="interrupt"), prefix="/api"
    )

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> FileResponse:
        response = FileResponse(PAGE)
        if "visitor" not in request.cookies:
            response.set_cookie("visitor", uuid4().hex, httponly=True, samesite="lax")
        return response

    return app


app = create_app(open_database())

if __name__ == "__main__":
    uvicorn.run(app, port=8000, timeout_graceful_shutdown=3)
