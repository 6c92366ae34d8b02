"""Routes of a page, as an application has them."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord import Limits
from chatrecord.sqlalchemy import Database
from chatrecord.web import AISDKEncoder, Encoder, chat_routes


async def owner(request: Request) -> dict[str, object] | None:
    return {"user_id": request.headers.get("x-user")}


def options(request: Request, scope: Mapping[str, object]) -> dict[str, object]:
    return {"limits": Limits(total_timeout=60)}


def llm(request: Request, scope: Mapping[str, object]) -> str:
    return "openai:gpt-5.2"


def application(db: Database[Any]) -> Starlette:
    routes = chat_routes(db, llm, owner=owner, options=options, protocol="sse", version=7)
    return Starlette(routes=[*routes, *chat_routes(db, "openai:gpt-5.2", owner=owner, retries=1)])


encoder: Encoder = AISDKEncoder(6)
