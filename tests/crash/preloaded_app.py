"""An application whose `Database` is made, and used, when its module is loaded."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chatrecord.sqlalchemy import Database, create_chat, sync
from chatrecord.testing import Script, say

db = Database(os.environ["PRELOADED_URL"])
sync.wait(db.create_tables())


async def ask(_: Request) -> JSONResponse:
    chat = await create_chat(db, Script([say(*"abc", pause=0.05)]))
    reply = await chat.ask("Go")
    run = await db.store.get_run(chat.id, reply.run_id)
    return JSONResponse({"text": reply.text, "process": os.getpid(), "owner": run and run.owner})


app = Starlette(routes=[Route("/", ask)])
