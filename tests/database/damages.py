"""Ways to break one row of a healthy chat, in plain SQL, and the rule that each of them breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Table, delete, insert, select, update

from chatrecord.sqlalchemy.tables import READY_MADE

LONG_AGO = datetime.now(UTC) - timedelta(days=30)
CHATS, RUNS, MESSAGES, CHUNKS, CALLS, REQUESTS, FILES = (
    model.__table__
    for model in (
        READY_MADE.chat, READY_MADE.run, READY_MADE.message, READY_MADE.chunk,
        READY_MADE.tool_call, READY_MADE.request, READY_MADE.attachment,
    )
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The ids of a healthy chat's rows that are broken in turn. `last` is the run that ended last.

    It has a `prompt`, an `asking` answer with one `call`, the `results` of that, and an `answer`.
    """

    chat: UUID
    last: UUID
    prompt: UUID
    asking: UUID
    results: UUID
    answer: UUID
    call: UUID
    summary: UUID
    replaced: UUID
    file: UUID


Break = Callable[[Rows], Iterator[Any]]


@dataclass(frozen=True)
class Damage:
    """What is done, the beginning of the rule that this breaks, and whether it can be repaired."""

    name: str
    statements: Break
    says: str
    repaired: bool


def _set(table: Table, which: str, **values: Any) -> Break:
    def statements(rows: Rows) -> Iterator[Any]:
        yield update(table).where(table.c.id == getattr(rows, which)).values(values)

    return statements


def _chunk(text: str, seq: int, which: str = "answer") -> Break:
    def statements(rows: Rows) -> Iterator[Any]:
        piece = {"kind": "text", "text": text}
        yield insert(CHUNKS).values(message_id=getattr(rows, which), seq=seq, payload=piece)

    return statements


def _all(*breaks: Break) -> Break:
    return lambda rows: (statement for each in breaks for statement in each(rows))


def _check_lease(rows: Rows) -> Iterator[Any]:
    yield update(RUNS).where(RUNS.c.id == rows.last).values(active_chat_id=rows.chat)


def _wait(rows: Rows) -> Iterator[Any]:
    yield insert(RUNS).values(
        id=uuid4(), chat_id=rows.chat, status="waiting", owner="nobody", epoch=1,
        lease_until=LONG_AGO, stop_requested=False, started_at=LONG_AGO,
    )  # fmt: skip


def _low(rows: Rows) -> Iterator[Any]:
    yield update(CHATS).where(CHATS.c.id == rows.chat).values(next_seq=2)


def _aside(rows: Rows) -> Iterator[Any]:
    yield insert(REQUESTS).values(
        id=uuid4(), chat_id=rows.chat, status="running", streamed=True, started_at=LONG_AGO
    )


def _open_request(rows: Rows) -> Iterator[Any]:
    these = REQUESTS.c.message_id == rows.answer
    yield update(REQUESTS).where(these).values(status="running")


def _unanswered(rows: Rows) -> Iterator[Any]:
    yield delete(MESSAGES).where(MESSAGES.c.id == rows.results)


def _unanswered_at_the_end(rows: Rows) -> Iterator[Any]:
    yield delete(REQUESTS).where(REQUESTS.c.message_id == rows.answer)
    yield delete(MESSAGES).where(MESSAGES.c.id.in_([rows.results, rows.answer]))


def _twice(rows: Rows) -> Iterator[Any]:
    names = [column.name for column in MESSAGES.c]
    changed = {"id": uuid4(), "seq": 90}
    copied: list[Any] = [changed.get(name, MESSAGES.c[name]) for name in names]
    these = MESSAGES.c.id == rows.results
    # Behind everything else, where nothing but its own call comes before it.
    yield from _unanswered_at_the_end(Rows(**{**vars(rows), "results": uuid4()}))
    yield update(CHATS).where(CHATS.c.id == rows.chat).values(next_seq=91)
    from sqlalchemy import literal

    columns = [
        literal(value, MESSAGES.c[name].type) if name in changed else value
        for name, value in zip(names, copied, strict=True)
    ]
    yield insert(MESSAGES).from_select(names, select(*columns).where(these))


def _gone(table: Table, which: str) -> Break:
    return lambda rows: iter([delete(table).where(table.c.id == getattr(rows, which))])


_OVER = {"status": "running", "finished_at": None, "lease_until": LONG_AGO}

DAMAGES = [
    Damage("a run that has ended holds its chat", _check_lease, "only a run that is running", True),
    Damage("a running run holds no chat", _set(RUNS, "last", **_OVER), "a run that is running", True),
    Damage(
        "a run whose process has died",
        _all(_check_lease, _set(RUNS, "last", **_OVER)), "a run that is active", True,
    ),
    Damage("a dead run in line", _wait, "a run that waits", True),
    Damage("no end of a run", _set(RUNS, "last", finished_at=None), "a run has the time", True),
    Damage("an unknown status", _set(RUNS, "last", status="asleep"), "the status of a row", False),
    Damage(
        "an answer that streams for ever",
        _all(_set(MESSAGES, "answer", status="streaming", finished_at=None, text=""), _chunk("It ", 0), _chunk("is", 1)),
        "a message streams only", True,
    ),
    Damage("no end of a message", _set(MESSAGES, "answer", finished_at=None), "a message has", False),
    Damage("a left piece", _chunk("It is", 0), "the journal holds", True),
    Damage("a left piece that the message lacks", _chunk("Never said", 0), "the journal holds", False),
    Damage(
        "a gap in the journal",
        _all(_set(MESSAGES, "answer", status="streaming", finished_at=None, text=""), _chunk("It ", 0), _chunk("3", 2)),
        "the pieces of a message", True,
    ),
    Damage("a number that comes again", _low, "the next number", True),
    Damage("a summary of nothing", _set(MESSAGES, "summary", seq=-77), "a summary,", False),
    Damage("a role of no use", _set(MESSAGES, "prompt", role="oracle"), "the role of a row", False),
    Damage("a message of no run", _set(MESSAGES, "prompt", run_id=uuid4()), "a row belongs", False),
    Damage("a call of no run", _set(CALLS, "call", run_id=uuid4()), "a row belongs", False),
    Damage("a call of no answer", _set(CALLS, "call", message_id=uuid4()), "the message that", False),
    Damage(
        "a call that runs for ever",
        _set(CALLS, "call", status="running", finished_at=None), "a tool call is open only", True,
    ),
    Damage(
        "an approval that nobody waits for",
        _set(CALLS, "call", status="awaiting_approval", finished_at=None), "a tool call is open", True,
    ),
    Damage("no end of a call", _set(CALLS, "call", finished_at=None), "a tool call has the", False),
    Damage("a request that is open for ever", _open_request, "a request is open only", True),
    Damage("a request of no run that is", _aside, "a request is open only", True),
    Damage("a call without a result", _unanswered, "a tool call of an answer", False),
    Damage("a last call without a result", _unanswered_at_the_end, "a tool call of an answer", True),
    Damage("two results of a call", _twice, "a tool call of an answer", False),
    Damage(
        "an answer of nothing",
        _set(MESSAGES, "answer", text="", content=None), "a message that is complete", False,
    ),
    Damage(
        "a replaced answer that stands", _set(MESSAGES, "replaced", status="complete"),
        "a run that replaces", False,
    ),
    Damage("a file of another size", _set(FILES, "file", size=1), "a file has the size", False),
    Damage("a file of other bytes", _set(FILES, "file", data=b"bbbb"), "a file has the size", False),
    Damage("a file that is gone", _gone(FILES, "file"), "a file that is referred to", False),
]  # fmt: skip
