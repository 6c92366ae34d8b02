"""The functions that an application calls, with the columns of its chats as keywords."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, cast, overload
from uuid import UUID

from typing_extensions import Unpack

from chatrecord.chats import deletion
from chatrecord.chats import opening as chats
from chatrecord.chats import retention as purging
from chatrecord.chats.changes import check_given_once
from chatrecord.chats.chat import Chat
from chatrecord.chats.lookups import all_found
from chatrecord.chats.opening import NewChat
from chatrecord.chats.options import OPTION_NAMES, RuntimeOptions
from chatrecord.records import ChatRecord
from chatrecord.spending.reports import Span, UsageRow
from chatrecord.store.chat_store import Audit
from chatrecord.store.lookup_store import ChatFilter
from chatrecord.text.arguments import check_list

from .database import AnyDatabase, ChatRow, Database, Metadata, OwnChat, ReadyMade

if TYPE_CHECKING:
    from pydantic_ai import Agent
    from pydantic_ai.models import Model

    LLM: TypeAlias = str | Model | Agent[Any, Any]
    """A model string such as `"openai:gpt-5.2"`, a Pydantic AI model, or a Pydantic AI agent."""


NAMED = frozenset({"instructions", "title", "metadata", "connection"})
"""The parameters of `create_chat` that are neither columns nor options."""


@overload
async def create_chat(
    db: Database[ReadyMade, Metadata],
    llm: LLM,
    row: None = None,
    *,
    user_id: str | None = None,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Metadata | None = None,
    connection: object | None = None,
    **options: Unpack[RuntimeOptions],
) -> Chat[ReadyMade, Metadata]: ...


@overload
async def create_chat(
    db: Database[ChatRow, Metadata],
    llm: LLM,
    row: ChatRow,
    *,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Metadata | None = None,
    connection: object | None = None,
    **options: Unpack[RuntimeOptions],
) -> Chat[ChatRow, Metadata]: ...


@overload
async def create_chat(
    db: Database[OwnChat, Metadata],
    llm: LLM,
    row: None = None,
    *,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Metadata | None = None,
    connection: object | None = None,
    **columns_and_options: object,
) -> Chat[OwnChat, Metadata]: ...


async def create_chat(
    db: AnyDatabase,
    llm: LLM,
    row: object | None = None,
    *,
    instructions: str | None = None,
    title: str | None = None,
    metadata: object | None = None,
    connection: object | None = None,
    **columns_and_options: object,
) -> Chat:
    """Create a chat.

        chat = await create_chat(db, "openai:gpt-5.2", user_id="u1", metadata={"team": "HR"})
        chat = await create_chat(db, "openai:gpt-5.2", HrChat(user_id=1, department="HR"))

    `llm` is a model string, a Pydantic AI model or an agent. `row` is a new instance of your mapped
    class with its columns; without it, other keywords set columns of your chat table. The other
    keywords are `RuntimeOptions`. `instructions` are stored and sent with each request; do not
    pass them with an agent. `metadata` is a mapping of JSON values. With `connection` (an
    `AsyncConnection` or `AsyncSession`) the row is part of your transaction: use the chat after the
    commit.

    Raises `TypeError` (unknown keyword), `ValueError` (invalid value) and `ConfigurationError`
    (unusable LLM).
    """
    columns, options = _sorted(db, "create_chat", columns_and_options, named=NAMED)
    new = NewChat(instructions, title, metadata, columns)
    if row is not None:
        new = _with_row(db, new, row)
    return await chats.create_chat(db, llm, new, options, connection)


def _with_row(db: AnyDatabase, new: NewChat, row: object) -> NewChat:
    """A new chat with what its row says."""
    given = db.store.new_row(row)
    keywords = {"instructions": new.instructions, "title": new.title, "metadata": new.metadata}
    said = {name: value for name, value in keywords.items() if value is not None}
    check_given_once([*given.fields, *given.columns], [*said, *new.columns])
    for name, value in given.columns.items():
        db.store.check_column(name, value)
    columns = {**given.columns, **new.columns}
    return NewChat(**{**keywords, **given.fields}, columns=columns, id=given.id)


@overload
async def load_chat(
    db: Database[ReadyMade, Metadata],
    llm: LLM,
    chat_id: UUID | str,
    *,
    user_id: str | None = ...,
    **options: Unpack[RuntimeOptions],
) -> Chat[ReadyMade, Metadata]: ...


@overload
async def load_chat(
    db: Database[OwnChat, Metadata], llm: LLM, chat_id: UUID | str, **scope_and_options: object
) -> Chat[OwnChat, Metadata]: ...


async def load_chat(
    db: AnyDatabase, llm: LLM, chat_id: UUID | str, **scope_and_options: object
) -> Chat:
    """Load a chat.

        chat = await load_chat(db, "openai:gpt-5.2", chat_id, user_id="u1")

    Columns given as keywords restrict it: a chat with other values raises `ChatNotFound`. A chat
    that was created with an agent of another name raises `AgentMismatch`.
    """
    scope, options = _sorted(db, "load_chat", scope_and_options)
    return await chats.load_chat(db, llm, chat_id, scope, options)


@overload
async def list_chats(
    db: Database[ReadyMade, Metadata],
    *,
    limit: int = 20,
    before: ChatRecord | None = None,
    search: str | None = None,
    where: ChatFilter | None = None,
    parent_run_id: UUID | None = None,
    user_id: str | None = ...,
) -> list[ChatRecord]: ...


@overload
async def list_chats(
    db: Database[OwnChat, Metadata],
    *,
    limit: int = 20,
    before: ChatRecord | None = None,
    search: str | None = None,
    where: ChatFilter | None = None,
    parent_run_id: UUID | None = None,
    **scope: object,
) -> list[ChatRecord]: ...


async def list_chats(
    db: AnyDatabase,
    *,
    limit: int = 20,
    before: ChatRecord | None = None,
    search: str | None = None,
    where: ChatFilter | None = None,
    parent_run_id: UUID | None = None,
    **scope: object,
) -> list[ChatRecord]:
    """Return a page of chats, newest activity first.

        page = await list_chats(db, user_id="u1")
        next_page = await list_chats(db, user_id="u1", before=page[-1])

    `search` returns chats whose title contains all of its words or word parts, ignoring case. With
    encryption, titles are decrypted and compared here, so the time grows with the number of chats.
    `where` returns those that pass a filter, such as `ChatFilter(tool="book_hotel")`: it looks at
    500 chats in one query, until there are enough. Chats that a tool has created are left out:
    `parent_run_id=reply.run_id` returns those of the tools of a run.
    """
    check(db, "list_chats", scope, others=["limit", "before", "search", "where", "parent_run_id"])
    if parent_run_id is not None:
        scope = {**scope, "parent_run_id": parent_run_id}
    if before is not None and not isinstance(before, ChatRecord):
        msg = "before= takes the last ChatRecord of the page before"
        raise TypeError(msg)
    if where is not None:
        return await all_found(db, where, limit=limit, before=before, scope=scope, search=search)
    return await chats.list_chats(db, limit=limit, before=before, scope=scope, search=search)


@overload
async def delete_chat(
    db: Database[ReadyMade, Metadata],
    chat_id: UUID | str,
    *,
    audit: Audit = "delete",
    soft: bool | None = None,
    user_id: str | None = ...,
) -> None: ...


@overload
async def delete_chat(
    db: Database[OwnChat, Metadata],
    chat_id: UUID | str,
    *,
    audit: Audit = "delete",
    soft: bool | None = None,
    **scope: object,
) -> None: ...


async def delete_chat(
    db: AnyDatabase,
    chat_id: UUID | str,
    *,
    audit: Audit = "delete",
    soft: bool | None = None,
    **scope: object,
) -> None:
    """Delete a chat with everything that belongs to it. Raises `ChatNotFound`.

    `audit` sets what happens to request rows, which cost reports use: `"delete"` them, `"keep"`
    them without their chat, or `"anonymise"` them: also without their run, their message, the text
    of their error and the provider's id.

    With `soft=True` the chat is only hidden: nothing finds it but `restore_chat`, `purge` and what
    erases or exports everything of an owner; usage and budgets count it. Its active run is stopped
    first. The default is `True` with `Database(retention=...)`, and else `False`.
    """
    check(db, "delete_chat", scope, others=["audit", "soft"])
    await deletion.delete_chat(db, chat_id, scope, audit, soft)


@overload
async def purge(
    db: Database[ReadyMade, Metadata],
    *,
    older_than: timedelta | datetime | None = None,
    deleted_before: timedelta | datetime | None = None,
    audit: Audit = "delete",
    user_id: str | None = ...,
) -> int: ...


@overload
async def purge(
    db: Database[OwnChat, Metadata],
    *,
    older_than: timedelta | datetime | None = None,
    deleted_before: timedelta | datetime | None = None,
    audit: Audit = "delete",
    **scope: object,
) -> int: ...


async def purge(
    db: AnyDatabase,
    *,
    older_than: timedelta | datetime | None = None,
    deleted_before: timedelta | datetime | None = None,
    audit: Audit = "delete",
    **scope: object,
) -> int:
    """Delete the chats that were not used since `older_than`. Returns how many.

        await purge(db, older_than=timedelta(days=90), audit="anonymise")

    A chat is used when a question is asked (its `updated_at`). A chat with an active run, or one
    that waits for approval, is never deleted. Columns of your chats as keywords restrict it,
    `audit` is that of `delete_chat`. Each transaction deletes a thousand chats: what was deleted
    before a failure stays deleted. Without such keywords, the events from before that go, too.
    """
    check(db, "purge", scope, others=["older_than", "deleted_before", "audit"])
    gone = 0
    if older_than is None or deleted_before is not None:
        gone += await deletion.purge_deleted(db, deleted_before, audit, scope)
    if older_than is not None:
        gone += await purging.purge(db, older_than, audit, scope)
    return gone


@overload
async def usage(
    db: Database[ReadyMade, Metadata],
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    without_models: Sequence[str] = (),
    percentiles: bool = False,
    user_id: str | None = ...,
) -> list[UsageRow]: ...


@overload
async def usage(
    db: Database[OwnChat, Metadata],
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    without_models: Sequence[str] = (),
    percentiles: bool = False,
    **scope: object,
) -> list[UsageRow]: ...


async def usage(
    db: AnyDatabase,
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    without_models: Sequence[str] = (),
    percentiles: bool = False,
    **scope: object,
) -> list[UsageRow]:
    """Return tokens, cost and errors of all attempts at providers, a row per group.

        for row in await usage(db, by=("day", "model"), since=datetime(2026, 11, 1, tzinfo=UTC)):
            print(row.by["day"], row.by["model"], row.usage.cost, row.error_rate)

    `by` names `"hour"`, `"day"` or `"month"` (UTC), columns of the requests (`provider`, `model`,
    `status`, `error_type`, `http_status`, `chat_id`, `run_id`, `kind`), `agent`, and the columns of
    your chats, such as `user_id`; without it there is one row for all. `since` is included, `until`
    is not. Columns of your chats as keywords restrict it. `without_models` leaves out requests to
    models of these names. `percentiles=True` adds the times, which takes longer: every time is read
    and sorted. Raises `ValueError` for an unknown name, and `ConfigurationError` if requests are
    not kept.
    """
    check(db, "usage", scope, others=["by", "since", "until", "without_models", "percentiles"])
    if isinstance(by, str):
        msg = f"by= takes a list of names: by=[{by!r}]"
        raise TypeError(msg)
    if isinstance(without_models, str):
        msg = f"without_models= takes a list of names: without_models=[{without_models!r}]"
        raise TypeError(msg)
    check_list("by", by, "names")
    check_list("without_models", without_models, "names")
    span = Span(since, until, tuple(without_models))
    return await db.store.shown.report(list(by), span, scope, percentiles=percentiles)


def _sorted(
    db: AnyDatabase, function: str, keywords: Mapping[str, object], *, named: Iterable[str] = ()
) -> tuple[dict[str, Any], RuntimeOptions]:
    check(db, function, keywords, others=[*OPTION_NAMES, *named])
    columns = db.store.chat_columns()
    own = {name: value for name, value in keywords.items() if name in columns}
    options = {name: value for name, value in keywords.items() if name not in columns}
    return own, cast(RuntimeOptions, options)


def check(
    db: AnyDatabase, function: str, keywords: Mapping[str, object], *, others: Iterable[str]
) -> None:
    """Raise `TypeError` or `ValueError` for keywords that are no columns or have invalid values."""
    if not isinstance(db, Database):
        msg = f"{function}() takes a Database first, not {type(db).__name__}"
        raise TypeError(msg)
    columns = db.store.chat_columns()
    for name, value in keywords.items():
        if name in columns:
            db.store.check_column(name, value)
        elif name not in OPTION_NAMES.intersection(others):
            msg = (
                f"{function}() got an unknown keyword {name!r}. Columns of {db.models.tables[0]}: "
                f"{', '.join(columns) or 'none of its own'}. Other keywords: "
                f"{', '.join(sorted(others))}"
            )
            raise TypeError(msg)
