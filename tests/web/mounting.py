"""The dashboard in an application, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.sqlalchemy import Database
from chatrecord.web.dashboard import dashboard


def everything(_request: Request) -> bool:
    return True


@asynccontextmanager
async def visiting(
    app: Any, path: str = "", root_path: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://test{path}") as client:
        yield client


@asynccontextmanager
async def mounted(db: Database, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette()
    app.mount("/a/b", dashboard(db, **{"allowed": everything, **options}))
    async with visiting(app, "/a/b/") as client:
        yield client
