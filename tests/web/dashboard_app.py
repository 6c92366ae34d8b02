"""A real server with the dashboard below a path, on a database with a month in it.

Who sends the cookie `who=hr` sees the chats of `ann` only; without one, nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say
from chatrecord.web.dashboard import dashboard
from dashboard_sample import fill_sample

PATH = "/tools/chats-admin"
NAMES = {"ann": "Ann Ashe", "bob": "Bob Bonaventure"}


def allowed(request: Request) -> object:
    return {"admin": True, "ann": {"user_id": "ann"}}.get(request.cookies.get("who", ""), False)


async def names_of(users: Any) -> dict[str, str]:
    return {user: NAMES[user] for user in users if user in NAMES}


def create_app(db: Database[Any]) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await db.close()

    app = Starlette(lifespan=lifespan)
    app.mount(PATH, dashboard(db, allowed=allowed, names={"user_id": names_of}))
    running: set[asyncio.Task[object]] = set()

    async def talk(request: Request) -> Response:
        """A chat whose answer streams for a while."""
        words = [f"word{number} " for number in range(40)]
        chat = await create_chat(db, Script([say(*words, pause=0.1)]), user_id="ann", title="Live")
        task = asyncio.create_task(chat.ask("Talk to me"))
        running.add(task)
        task.add_done_callback(running.discard)
        return JSONResponse({"id": str(chat.id)})

    app.add_route("/talk", talk, methods=["POST"])
    return app


def main(url: str) -> None:
    async def filled() -> dict[str, str]:
        async with Database(url) as db:
            await db.create_tables()
            return {name: str(id_) for name, id_ in (await fill_sample(db)).items()}

    chats = asyncio.run(filled())
    app = create_app(Database(url))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1], **chats}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


if __name__ == "__main__":
    main(sys.argv[1])
