"""Rated or chosen runs of a database, as a dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_evals import Case, Dataset

from chatrecord.chats import feedback as ratings
from chatrecord.chats.working import checked_run_id
from chatrecord.errors import RunNotFound
from chatrecord.feedback import Feedback, Rating
from chatrecord.records import ChatRecord, Reply, Run
from chatrecord.runs.process import Backend
from chatrecord.sqlalchemy.chats import check
from chatrecord.sqlalchemy.database import AnyDatabase
from chatrecord.store.window import Window
from chatrecord.text.arguments import check_count, check_list

from .cases import Question, RunFacts, case_of

_PAGE = 100

StoredCases = Dataset[Question, Any, RunFacts]
"""Which reads what `to_dataset` has saved: `StoredCases.from_file(...)`."""


async def to_dataset(
    db: AnyDatabase,
    *,
    name: str = "chats",
    rating: Rating | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    runs: Iterable[Run | Reply[Any] | UUID | str] | None = None,
    limit: int = 100,
    history: int = 50,
    **scope: object,
) -> StoredCases:
    """Return rated runs, or chosen ones, as a dataset of Pydantic Evals.

        dataset = await to_dataset(db, rating="negative", since=week, user_id="u1")
        dataset.to_file("negative.yaml")

    Without `runs`, these are the runs whose answers were rated: `rating` is `"positive"`,
    `"negative"` or `None` for both, `since` (included) and `until` (not included) are times of the
    feedback, the newest first. `runs` are chosen ones instead: replies, runs or ids. Columns of
    your chats as keywords restrict both.

    Each case asks a `Question` and has `RunFacts` as its metadata. What is expected is the answer,
    if the mean of its ratings is above zero and the run is complete, else `None`. `limit` is the
    most cases, `history` the most messages before each question; 0 leaves them out.

    Raises `RunNotFound` for a chosen run that is not there or not within the scope, `TypeError` and
    `ValueError` for values that cannot be, and `ConfigurationError` without a table for feedback.
    """
    check(db, "to_dataset", scope, others=["rating", "since", "until", "runs", "limit", "history"])
    check_count("limit", limit)
    check_count("history", history, least=0)
    if runs is None:
        rated = await _rated(db, rating, since, until, limit=limit, scope=scope)
        found = await _runs_of(db, rated, scope)
    elif rating is not None or since is not None or until is not None:
        msg = "runs= chooses by itself: leave rating=, since= and until= out"
        raise ValueError(msg)
    else:
        check_list("runs", runs, "runs, replies or ids")
        found = await _chosen([_id_of(each) for each in runs][:limit], db, scope)
    window = Window(messages=history) if history else None
    cases: list[Case[Question, Any, RunFacts]] = []
    for chat, run in found:
        told = await db.store.feedback_of_chat(chat.id, [run.id])
        case = await case_of(db, chat, run, told, window)
        cases += [] if case is None else [case]
    return StoredCases(name=name, cases=cases)


async def _rated(
    backend: Backend,
    rating: Rating | None,
    since: datetime | None,
    until: datetime | None,
    *,
    limit: int,
    scope: Mapping[str, object],
) -> list[Feedback]:
    """The last feedback on each of so many runs, the newest first."""
    found: dict[UUID, Feedback] = {}
    before: Feedback | None = None
    while len(found) < limit:
        page = await ratings.list_feedback(
            backend,
            rating=rating,
            since=since,
            until=until,
            limit=_PAGE,
            before=before,
            scope=scope,
        )
        for each in page:
            if each.run_id is not None and len(found) < limit:
                found.setdefault(each.run_id, each)
        if len(page) < _PAGE:
            break
        before = page[-1]
    return list(found.values())


async def _runs_of(
    backend: Backend, rated: Sequence[Feedback], scope: Mapping[str, object]
) -> list[tuple[ChatRecord, Run]]:
    """The rated runs with their chats, as far as both are still there."""
    wanted: dict[UUID, list[UUID]] = defaultdict(list)
    for each in rated:
        assert each.run_id is not None
        wanted[each.chat_id].append(each.run_id)
    chats = await _chats(backend, list(wanted), scope)
    runs: dict[UUID, Run] = {}
    for chat_id in chats:
        rows = await backend.store.shown.rows_of_runs(chat_id, wanted[chat_id])
        runs |= {run.id: run for run in rows.runs}
    return [
        (chats[each.chat_id], runs[each.run_id])
        for each in rated
        if each.chat_id in chats and each.run_id in runs
    ]


async def _chosen(
    run_ids: Sequence[UUID], backend: Backend, scope: Mapping[str, object]
) -> list[tuple[ChatRecord, Run]]:
    runs = [await backend.store.find_run(run_id) for run_id in dict.fromkeys(run_ids)]
    chats = await _chats(backend, [run.chat_id for run in runs if run is not None], scope)
    found: list[tuple[ChatRecord, Run]] = []
    for run_id, run in zip(dict.fromkeys(run_ids), runs, strict=True):
        if run is None or run.chat_id not in chats:
            msg = f"There is no run {run_id} here"
            raise RunNotFound(msg)
        found.append((chats[run.chat_id], run))
    return found


async def _chats(
    backend: Backend, chat_ids: Sequence[UUID], scope: Mapping[str, object]
) -> dict[UUID, ChatRecord]:
    """Those within the scope, some at a time."""
    found: dict[UUID, ChatRecord] = {}
    for start in range(0, len(chat_ids), _PAGE):
        found |= await backend.store.chats_by_id(chat_ids[start : start + _PAGE], scope)
    return found


def _id_of(run: Run | Reply[Any] | UUID | str) -> UUID:
    if isinstance(run, Run):
        return run.id
    if isinstance(run, Reply):
        return run.run_id
    return checked_run_id(run)
