"""For the administrator: what is spent and how it goes, and every chat in full."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.orm import DeclarativeBase

from chatrecord.spending.reports import UsageRow
from chatrecord.sqlalchemy import usage

from .guided import APPLICATION
from .sign_in import HrDep, only, shown
from .tables import HrChat, HrMessage, HrRequest, HrRun, HrToolCall, User
from .texts import AnyText, plain

PAGE = 30
LONGEST_SEARCH = 255
"""Characters. SQLite fails where a pattern has 50,000 bytes."""
MOST_WORDS = 10
"""Of a search that are looked for: each reads the text of every message."""

_COLUMN = {"day": "day", "model": "model", "user": "user_id"}

router = APIRouter(
    prefix="/api/admin", dependencies=[only("administrator")], default_response_class=AnyText
)


@router.get("/usage")
async def spent(
    hr: HrDep,
    by: Annotated[tuple[Literal["day", "model", "user"], ...], Query()] = ("day",),
    since: date | None = None,
) -> Any:
    """Tokens, cost, errors and times: a row a group.

    Steps of the application's own are no requests to an LLM, and answer in no time: they are left
    out, but for the row of their own that they have by model.
    """
    start = datetime.combine(since, time(), UTC) if since else None
    rows = await usage(
        hr.db,
        by=[_COLUMN[name] for name in dict.fromkeys(by)],
        since=start,
        without_models=() if "model" in by else (APPLICATION,),
        percentiles=True,
    )
    async with hr.sessions() as session:
        people = {user.id: user.name for user in await session.scalars(select(User))}
    return [_told(row, people) for row in rows]


@router.get("/chats")
async def chats(
    hr: HrDep,
    search: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    user: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    before: UUID | None = None,
) -> Any:
    """A page of everybody's chats, newest activity first; the next is `before` its last one."""
    wanted = select(HrChat, User).join(User, User.id == HrChat.user_id)
    if words := plain(search).split():
        wanted = wanted.where(*map(_says, dict.fromkeys(words[:MOST_WORDS])))
    if user is not None:
        wanted = wanted.where(HrChat.user_id == user)
    age = tuple_(HrChat.updated_at, HrChat.id)
    async with hr.sessions() as session:
        if before is not None and (last := await session.get(HrChat, before)):
            wanted = wanted.where(age < tuple_(last.updated_at, last.id))
        newest = wanted.order_by(HrChat.updated_at.desc(), HrChat.id.desc()).limit(PAGE)
        found = await session.execute(newest)
        return [_row(chat) | {"user": shown(user)} for chat, user in found]


@router.get("/chats/{chat_id}")
async def audit_trail(chat_id: UUID, hr: HrDep) -> Any:
    """All that is on record of a chat: superseded messages, raw results and failed requests too."""
    async with hr.sessions() as session:
        chat = await session.get(HrChat, chat_id)
        if chat is None:
            raise HTTPException(404, "There is no such chat")

        async def rows(of_chat: Select[Any]) -> list[dict[str, Any]]:
            return [_row(row) for row in await session.scalars(of_chat)]

        return _row(chat) | {
            "user": shown(await session.get_one(User, chat.user_id)),
            "runs": await rows(_of(HrRun, chat_id)),
            "messages": await rows(_of(HrMessage, chat_id, HrMessage.seq)),
            "toolCalls": await rows(_of(HrToolCall, chat_id)),
            "requests": await rows(_of(HrRequest, chat_id)),
        }


def _of(model: Any, chat_id: UUID, order: Any = None) -> Select[Any]:
    # Ids are made in the order of time.
    in_order = model.id if order is None else order
    return select(model).where(model.chat_id == chat_id).order_by(in_order)


def _says(word: str) -> ColumnElement[bool]:
    """In the title, or in one message or another."""
    said = select(HrMessage.chat_id).where(HrMessage.text.icontains(word, autoescape=True))
    return or_(HrChat.title.icontains(word, autoescape=True), HrChat.id.in_(said))


def _row(row: DeclarativeBase) -> dict[str, Any]:
    """A row as it stands, with its columns' names as JavaScript has them."""
    columns = row.__mapper__.column_attrs
    return {to_camel(it.columns[0].name): getattr(row, it.key) for it in columns}


def _told(row: UsageRow, people: dict[int, str]) -> dict[str, Any]:
    keys = dict(row.by)
    if "user_id" in keys:
        user_id = keys.pop("user_id")
        keys |= {"userId": user_id, "user": people.get(user_id)}  # type: ignore[call-overload]
    return {
        **keys,
        "requests": row.usage.requests,
        "inputTokens": row.usage.input_tokens,
        "outputTokens": row.usage.output_tokens,
        "cost": row.usage.cost,
        "unpricedRequests": row.usage.unpriced_requests,
        "errors": row.failed,
        "errorRate": row.error_rate,
        "latencyMs": row.latency_ms and asdict(row.latency_ms),
        "firstTokenMs": row.first_token_ms and asdict(row.first_token_ms),
    }
