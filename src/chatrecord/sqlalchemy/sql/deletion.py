"""The SQL of deletion: chats with all that is theirs, and what may stay of their requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Integer,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Query
from chatrecord.store.chat_store import Audit, Scope

from .rare import is_rare
from .statements import Statements
from .tables import MappedTable

_PERSONAL = ("run_id", "message_id", "error", "provider_request_id")
"""The columns of a request that could identify a person, except its chat."""


def idle_chats(sql: Statements, scope: Scope) -> Query:
    """Chats in the scope that were not used since `before`, the longest idle first."""
    waits = and_(sql.run.chat_id == sql.chat.id, is_rare(sql.run.status, "queued"))
    is_active = or_(exists().where(sql.run.active_chat_id == sql.chat.id), exists().where(waits))
    return (
        select(sql.chat.id)
        .where(*_idle(sql), ~is_active, *sql.within(scope))
        .order_by(sql.chat.updated_at, sql.chat.id)
        .limit(bindparam("limit", type_=Integer))
    )


def still_idle(sql: Statements) -> Query:
    """Those of these chats that still are, locked where the database locks rows."""
    these = sql.chat.id.in_(_ids(sql))
    return select(sql.chat.id).where(*_idle(sql), these).order_by(sql.chat.id).with_for_update()


def in_use(sql: Statements) -> Query:
    """Those of these chats that have an active run, or one that waits for a worker."""
    of_chats = sql.run.chat_id.in_(_ids(sql))
    is_active = or_(sql.run.active_chat_id.is_not(None), sql.run.status == "queued")
    return select(sql.run.chat_id).where(of_chats, is_active)


def runs_of(sql: Statements) -> Query:
    """The runs of these chats, locked where the database locks rows.

    A flush under way adds its pieces before, or finds no run afterwards. So does who resumes one.
    """
    of_chats = sql.run.chat_id.in_(_ids(sql))
    return select(sql.run.id).where(of_chats).order_by(sql.run.id).with_for_update()


def erase_rows(sql: Statements, audit: Audit) -> Iterator[Delete | Update]:
    """All rows of these chats, the leaves first, whether or not the database cascades."""
    if sql.request is not None and audit != "delete":
        yield from _detached(sql, sql.request, audit)
    messages = select(sql.message.id).where(sql.message.chat_id.in_(_ids(sql)))
    yield delete(sql.chunk.table).where(sql.chunk.message_id.in_(messages))
    for mapped in (sql.feedback, sql.request, sql.tool_call, sql.message, sql.run, sql.event):
        if mapped is not None:
            yield delete(mapped.table).where(mapped.chat_id.in_(_ids(sql)))


def erase_chats(sql: Statements) -> Delete:
    """These chats themselves."""
    return delete(sql.chat.table).where(sql.chat.id.in_(_ids(sql)))


def erase_idle_chats(sql: Statements) -> Delete:
    """The rows of these chats, unless they are in use again."""
    return erase_chats(sql).where(*_idle(sql))


def _detached(sql: Statements, requests: MappedTable, audit: Audit) -> Iterator[Update]:
    these = requests.chat_id.in_(_ids(sql))
    open_ones = update(requests.table).where(these, requests.status == "running")
    yield open_ones.values({requests.status: "interrupted"})
    gone = ("chat_id", *_PERSONAL) if audit == "anonymise" else ("chat_id",)
    nothing: dict[object, object] = {requests.columns[name]: None for name in gone}
    yield update(requests.table).where(these).values(nothing)


def _idle(sql: Statements) -> list[ColumnElement[bool]]:
    return [sql.chat.updated_at < bindparam("before", type_=sql.chat.updated_at.type)]


def _ids(sql: Statements) -> BindParameter[Any]:
    return bindparam("chat_ids", expanding=True, type_=sql.chat.id.type)
