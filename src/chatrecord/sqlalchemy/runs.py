"""The runs of all chats: listed, counted, and answered by workers."""

from __future__ import annotations

import asyncio
from typing import Any, overload
from uuid import UUID

from chatrecord.chats.working import LLMFor
from chatrecord.records import Reply, Run, RunStatus
from chatrecord.text.arguments import check_count, check_status

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade


@overload
async def list_runs(
    db: Database[ReadyMade, Metadata],
    *,
    status: RunStatus | None = None,
    limit: int = 20,
    before: Run | None = None,
    user_id: str | None = ...,
) -> list[Run]: ...


@overload
async def list_runs(
    db: Database[OwnChat, Metadata],
    *,
    status: RunStatus | None = None,
    limit: int = 20,
    before: Run | None = None,
    **scope: object,
) -> list[Run]: ...


async def list_runs(
    db: AnyDatabase,
    *,
    status: RunStatus | None = None,
    limit: int = 20,
    before: Run | None = None,
    **scope: object,
) -> list[Run]:
    """Return a page of runs, newest first: of all chats, or of those within a scope.

        waiting = await list_runs(db, status="queued", user_id="u1")
        print([(run.chat_id, run.question_text) for run in waiting])

    Columns of your chats as keywords restrict it, and so does `status`: `"queued"` (waits for a
    worker), `"waiting"` (waits in a process), `"running"`, `"parked"`, `"complete"`,
    `"interrupted"` or `"failed"`. The next page is `before=page[-1]`.
    """
    check(db, "list_runs", scope, others=["status", "limit", "before"])
    check_count("limit", limit)
    check_status(status)
    if before is not None and not isinstance(before, Run):
        msg = "before= takes the last Run of the page before"
        raise TypeError(msg)
    key = None if before is None else before.id
    return await db.store.list_runs(status=status, scope=scope, limit=limit, before=key)


@overload
async def count_runs(
    db: Database[ReadyMade, Metadata],
    *,
    status: RunStatus | None = None,
    user_id: str | None = ...,
) -> int: ...


@overload
async def count_runs(
    db: Database[OwnChat, Metadata], *, status: RunStatus | None = None, **scope: object
) -> int: ...


async def count_runs(db: AnyDatabase, *, status: RunStatus | None = None, **scope: object) -> int:
    """Return how many runs there are with this status, as `list_runs` lists them.

    backlog = await count_runs(db, status="queued")
    """
    check(db, "count_runs", scope, others=["status"])
    check_status(status)
    return await db.store.count_runs(status=status, scope=scope)


async def work_on(
    db: AnyDatabase, run_id: UUID | str, llm_for: LLMFor, *, retry: bool = False
) -> Reply[Any]:
    """See `Database.work_on`."""
    return await db.work_on(run_id, llm_for, retry=retry)


async def work(
    db: AnyDatabase,
    llm_for: LLMFor,
    *,
    stop: asyncio.Event | None = None,
    concurrency: int = 10,
) -> None:
    """See `Database.work`."""
    await db.work(llm_for, stop=stop, concurrency=concurrency)
