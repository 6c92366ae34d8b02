"""The SQL of those who look after an application: chats and requests found by how they went."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, bindparam, func, literal, or_, select

from chatrecord.sqlalchemy.generics import Query
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import ChatFilter, RequestFilter, RequestOrder

from .exact import equals
from .spending import costs_of
from .statements import Statements
from .tables import TOKEN_COLUMNS, MappedTable, kept


def found_chats(
    sql: Statements, where: ChatFilter, scope: Scope, *, after_key: bool, words: int
) -> Query:
    """So many chats (`found`) that pass, among the next `limit` chats of the list.

    Of these only the keys are read first, from their index: MariaDB would sort all chats otherwise.
    """
    keys = _keys(sql, scope, after_key=after_key).subquery("newest")
    chat, newest = sql.chat, keys.c
    page = chat.select().join(keys, chat.id == newest.id)
    page = page.where(*_passed(sql, where, newest.id))
    for place in range(words):
        pattern = bindparam(f"word_{place}", type_=String)
        page = page.where(chat.title.regexp_match(pattern))
    in_order = page.order_by(newest.updated_at.desc(), newest.id.desc())
    return in_order.limit(bindparam("found", type_=Integer))


def last_key(sql: Statements, scope: Scope, *, after_key: bool) -> Query:
    """The key of the last of the next chats, after `skipped` ones, if there are so many."""
    keys = _keys(sql, scope, after_key=after_key)
    return keys.offset(bindparam("skipped", type_=Integer))


def _keys(sql: Statements, scope: Scope, *, after_key: bool) -> Query:
    listed = sql.list_chats(scope, after_key=after_key)
    updated_at, chat_id = sql.chat.updated_at, sql.chat.columns["id"]
    return listed.with_only_columns(updated_at.label("updated_at"), chat_id.label("id"))


def _passed(sql: Statements, where: ChatFilter, chat_id: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if where.status is not None:
        runs = sql.run
        conditions.append(_has(runs.chat_id == chat_id, runs.status == where.status))
    if where.tool is not None:
        calls = kept(sql.tool_call, "Tool calls", "tool_call")
        conditions.append(_has(calls.chat_id == chat_id, equals(calls.columns["name"], where.tool)))
    if where.min_cost is not None:
        requests = kept(sql.request, "Requests", "request")
        cost = select(func.sum(requests.cost)).where(requests.chat_id == chat_id)
        conditions.append(cost.scalar_subquery() >= where.min_cost)
    return conditions


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row, looked for chat by chat.

    Planners make a join of EXISTS, and read the whole table for it.
    """
    return select(literal(1)).where(*conditions).limit(1).scalar_subquery() == 1


def listed_requests(
    sql: Statements,
    where: RequestFilter,
    scope: Scope,
    order_by: RequestOrder,
    *,
    after_key: bool,
) -> Query:
    """Requests by the latest, the slowest or the dearest, by keyset."""
    requests = kept(sql.request, "Requests", "request")
    key, request_id = requests.columns[order_by], requests.columns["id"]
    page: Select[Any] = requests.select().where(*_wanted(requests, where))
    if scope:  # requests of deleted chats are in no scope
        page = page.join(sql.chat.table, sql.chat.id == requests.chat_id)
        page = page.where(*sql.within(scope))
    if order_by != "started_at":
        page = page.where(key.is_not(None))
    if after_key:
        value = bindparam("value", type_=key.type)
        earlier = request_id < bindparam("id", type_=request_id.type)
        page = page.where(key <= value, or_(key < value, earlier))
    in_order = page.order_by(key.desc(), request_id.desc())
    return in_order.limit(bindparam("limit", type_=Integer))


def _wanted(requests: MappedTable, where: RequestFilter) -> list[ColumnElement[bool]]:
    span, conditions = where.span, list[ColumnElement[bool]]()
    if span.since is not None:
        conditions.append(requests.started_at >= span.since)
    if span.until is not None:
        conditions.append(requests.started_at < span.until)
    if where.status is not None:
        conditions.append(requests.status == where.status)
    if where.model is not None:
        conditions.append(equals(requests.columns["model"], where.model))
    if where.chat_id is not None:
        conditions.append(requests.chat_id == where.chat_id)
    if where.outside_runs:
        conditions.append(requests.run_id.is_(None))
    return conditions


def chats_by_id(sql: Statements, scope: Scope) -> Query:
    """Those of `chat_ids` that are within the scope."""
    wanted = sql.chat.id.in_(bindparam("chat_ids", type_=sql.chat.id.type, expanding=True))
    return sql.chat.select().where(wanted, *sql.within(scope), *sql.kept())


def usage_by_chat(sql: Statements) -> Query:
    """The sums of `chat_ids`, where requests are kept."""
    requests = kept(sql.request, "Requests", "request")
    chat_id = requests.columns["chat_id"]
    wanted = chat_id.in_(bindparam("chat_ids", type_=chat_id.type, expanding=True))
    sums = (func.sum(requests.columns[name]).label(name) for name in TOKEN_COLUMNS)
    count = func.count().label("requests")
    summed = select(chat_id.label("chat_id"), count, *sums, *costs_of(requests.columns))
    return summed.where(wanted).group_by(chat_id)
