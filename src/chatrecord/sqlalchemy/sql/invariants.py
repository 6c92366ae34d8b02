"""The invariants of the rows, as SQL that finds the rows that break them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from chatrecord.records import MessageStatus, RequestStatus, Role, RunStatus, ToolCallStatus
from chatrecord.runs.repair import DIED
from chatrecord.runs.side_requests import LONGEST
from chatrecord.sqlalchemy.generics import Expression, Query, Row, Values
from chatrecord.store.changes import ACTIVE

from .clock import by_database_clock
from .statements import Statements
from .tables import MappedTable

_ACTIVE = ("running", "parked")
_ENDED = ("complete", "interrupted", "failed")
_OPEN = ("pending", "running", "awaiting_approval")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule about the rows of a table. `broken` is true of a row that breaks it.

    `shows` are the columns that tell how, and `otherwise` does where there are none. With `values`
    one UPDATE repairs such a row.
    """

    says: str
    rows: MappedTable
    broken: ColumnElement[bool]
    shows: tuple[str, ...] = ("status",)
    values: Row = field(default_factory=dict)
    key: str = "id"
    chat_id: Expression | None = None
    otherwise: str = ""

    def page(self, *, after_key: bool) -> Query:
        """The next rows that break it, by their ids."""
        key = self.rows.columns[self.key]
        shown = [self.rows.columns[name].label(f"shown_{name}") for name in self.shows]
        chat_id = self.rows.columns["chat_id"] if self.chat_id is None else self.chat_id
        found = select(key.label("row_id"), chat_id.label("chat_id"), *shown).where(self.broken)
        if after_key:
            found = found.where(key > bindparam("after", type_=key.type))
        limit = bindparam("limit", type_=Integer)
        return (found if self.key == "id" else found.distinct()).order_by(key).limit(limit)

    @property
    def repair(self) -> Update:
        """Write the values that it should have, where it is still broken."""
        columns = self.rows.columns
        this = columns[self.key] == bindparam("row_id")
        changes: dict[object, object] = {
            columns[name]: value for name, value in self.values.items()
        }
        return update(self.rows.table).where(this, self.broken).values(changes)


class Invariants:
    """Every rule that one statement can check, as of a moment."""

    def __init__(self, sql: Statements, now: datetime) -> None:
        self._sql = sql
        self._now = now
        self.streaming = Invariant(
            "a message streams only while its run is running",
            sql.message,
            and_(sql.message.status == "streaming", ~self._run_of(sql.message, ("running",))),
        )
        self.journal = Invariant(
            "the journal holds pieces of messages that are streaming, and of no others",
            sql.chunk,
            ~self._streams(),
            shows=(),
            otherwise="its message does not stream",
            key="message_id",
            chat_id=self._chat_of_piece(),
        )
        self.expired = Invariant(
            "a run that is active has a good lease, or else its process has died",
            sql.run,
            and_(sql.run.active_chat_id.is_not(None), self._is_over()),
            shows=("status", "lease_until"),
        )

    def all(self) -> Sequence[Invariant]:
        """The rules for the tables that there are, in the order in which rows are repaired."""
        return [
            *self._of_runs(),
            self.streaming,
            self.journal,
            *self._of_pieces(),
            *self._of_messages(),
            *self._of_calls(),
            *self._of_requests(),
            *self._of_files(),
            self._of_chats(),
        ]

    def _of_runs(self) -> Iterator[Invariant]:
        run = self._sql.run
        is_ended, is_active = run.status.in_(_ENDED), run.status.in_(_ACTIVE)
        yield self._known(run, "status", RunStatus)
        yield self._belongs(run)
        yield Invariant(
            "only a run that is running, parked or queued holds its chat",
            run,
            and_(run.active_chat_id.is_not(None), run.status.not_in(ACTIVE)),
            values={"active_chat_id": None},
        )
        yield Invariant(
            "a run that is running or parked holds its chat",
            run,
            and_(is_active, or_(run.active_chat_id.is_(None), run.active_chat_id != run.chat_id)),
            values={"active_chat_id": run.chat_id},
        )
        message = self._sql.message
        last = select(func.max(message.finished_at)).where(message.run_id == run.id)
        yield Invariant(
            "a run has the time of its end once it has ended, and not before",
            run,
            or_(
                and_(is_ended, run.finished_at.is_(None)),
                and_(~is_ended, run.finished_at.is_not(None)),
            ),
            shows=("status", "finished_at"),
            values={"finished_at": case((is_ended, last.scalar_subquery()), else_=None)},
        )
        yield self.expired
        yield Invariant(
            "a run that waits for its turn has a good lease, or else its process has died",
            run,
            and_(run.status == "waiting", self._is_over()),
            shows=("status", "lease_until"),
        )

    def _of_messages(self) -> Iterator[Invariant]:
        message = self._sql.message
        yield self._known(message, "status", MessageStatus)
        yield self._known(message, "role", Role)
        yield self._belongs(message)
        yield Invariant(
            "a message has the time of its end once it has ended, and not before",
            message,
            (message.status == "streaming") == message.finished_at.is_not(None),
            shows=("status", "finished_at"),
        )
        other = message.table.alias("other")
        numbers = self._named(other, message, "chat_id", "seq", "id")
        yield Invariant(
            "no two messages of a chat have one number",
            message,
            exists(literal(1)).where(
                numbers["chat_id"] == message.chat_id,
                numbers["seq"] == message.seq,
                numbers["id"] != message.id,
            ),
            shows=("seq",),
        )
        yield Invariant(
            "a summary, and nothing else, has a number below 0: the last that it covers, negated",
            message,
            or_(
                (message.role == "summary") != (message.seq < 0),
                and_(
                    message.seq < 0,
                    ~exists(literal(1)).where(
                        numbers["chat_id"] == message.chat_id, numbers["seq"] == -message.seq
                    ),
                ),
            ),
            shows=("role", "seq"),
        )

    def _of_pieces(self) -> Iterator[Invariant]:
        chunk = self._sql.chunk
        other = chunk.table.alias("other")
        earlier = self._named(other, chunk, "message_id", "seq")
        same = earlier["message_id"] == chunk.message_id
        yield Invariant(
            "the pieces of a message in the journal are numbered without a gap",
            chunk,
            and_(
                exists(literal(1)).where(same, earlier["seq"] < chunk.seq),
                ~exists(literal(1)).where(same, earlier["seq"] == chunk.seq - 1),
            ),
            shows=(),
            otherwise="a number is missing",
            key="message_id",
            chat_id=self._chat_of_piece(),
        )

    def _of_calls(self) -> Iterator[Invariant]:
        call = self._sql.tool_call
        if call is None:
            return
        yield self._known(call, "status", ToolCallStatus)
        yield self._belongs(call)
        yield self._has_message(call)
        now = literal(self._now, call.finished_at.type)
        ended = case((call.status == "awaiting_approval", "denied"), else_="interrupted")
        yield Invariant(
            "a tool call is open only while its run is active, and runs only while that is running",
            call,
            or_(
                and_(call.status.in_(_OPEN), ~self._run_of(call, ACTIVE)),
                and_(call.status == "running", ~self._run_of(call, ("running",))),
            ),
            values={"finished_at": now, "status": ended},
        )
        is_open = call.status.in_(_OPEN)
        yield Invariant(
            "a tool call has the times of its beginning and its end once these have come",
            call,
            or_(
                and_(call.status.in_(_ENDED), call.finished_at.is_(None)),
                and_(is_open, call.finished_at.is_not(None)),
                and_(call.status == "running", call.started_at.is_(None)),
            ),
            shows=("status", "started_at", "finished_at"),
        )

    def _of_requests(self) -> Iterator[Invariant]:
        request = self._sql.request
        if request is None:
            return
        yield self._known(request, "status", RequestStatus)
        yield self._belongs(request)
        yield self._has_message(request)
        of_no_run = and_(
            request.run_id.is_(None),
            request.started_at < literal(self._now - LONGEST, request.started_at.type),
        )
        of_an_ended_run = and_(request.run_id.is_not(None), ~self._run_of(request, ("running",)))
        yield Invariant(
            "a request is open only while its run is running, or for an hour where it has none",
            request,
            and_(request.status == "running", or_(of_no_run, of_an_ended_run)),
            values={"status": "interrupted", "error": literal(DIED, request.error.type)},
        )

    def _of_files(self) -> Iterator[Invariant]:
        file = self._sql.attachment
        if file is not None:
            yield Invariant(
                "a file belongs to a chat that is there",
                file,
                ~self._chat_of(file),
                shows=("hash",),
            )

    def _of_chats(self) -> Invariant:
        chat, message = self._sql.chat, self._sql.message
        of_chat = message.chat_id == chat.id
        following = select(func.max(message.seq) + 1).where(of_chat).scalar_subquery()
        return Invariant(
            "the next number of a chat is above those of its messages",
            chat,
            exists(literal(1)).where(of_chat, message.seq >= chat.next_seq),
            shows=("next_seq",),
            values={"next_seq": following},
            chat_id=chat.id,
        )

    # What rules are made of

    def _known(self, rows: MappedTable, name: str, known: object) -> Invariant:
        says = f"the {name} of a row is one that this version knows"
        return Invariant(says, rows, rows.columns[name].not_in(get_args(known)), shows=(name,))

    def _belongs(self, rows: MappedTable) -> Invariant:
        """Requests may outlive their chat, and are of no chat then."""
        broken = and_(rows.chat_id.is_not(None), ~self._chat_of(rows))
        says, shows = "a row belongs to a chat that is there", ["chat_id"]
        if rows is not self._sql.run:
            run = self._sql.run
            its_run = exists(literal(1)).where(run.id == rows.run_id, run.chat_id == rows.chat_id)
            broken = and_(
                rows.chat_id.is_not(None),
                or_(~self._chat_of(rows), and_(rows.run_id.is_not(None), ~its_run)),
            )
            says = "a row belongs to a chat that is there, and to a run of it"
            shows = ["chat_id", "run_id"]
        return Invariant(says, rows, broken, shows=tuple(shows))

    def _has_message(self, rows: MappedTable) -> Invariant:
        message = self._sql.message
        its = exists(literal(1)).where(
            message.id == rows.message_id, message.chat_id == rows.chat_id
        )
        refers = and_(rows.chat_id.is_not(None), rows.message_id.is_not(None))
        says = "the message that a row refers to is there"
        return Invariant(says, rows, and_(refers, ~its), shows=("message_id",))

    def _run_of(self, rows: MappedTable, statuses: Sequence[str]) -> ColumnElement[bool]:
        run = self._sql.run
        return exists(literal(1)).where(run.id == rows.run_id, run.status.in_(statuses))

    def _chat_of(self, rows: MappedTable) -> ColumnElement[bool]:
        return exists(literal(1)).where(self._sql.chat.id == rows.chat_id)

    def _streams(self) -> ColumnElement[bool]:
        message, chunk = self._sql.message, self._sql.chunk
        is_its = message.id == chunk.message_id
        return exists(literal(1)).where(is_its, message.status == "streaming")

    def _chat_of_piece(self) -> Expression:
        message, chunk = self._sql.message, self._sql.chunk
        its = select(message.chat_id).where(message.id == chunk.message_id)
        return its.scalar_subquery()

    def _is_over(self) -> ColumnElement[bool]:
        now = bindparam(None, self._now, type_=self._sql.run.lease_until.type)
        return self._sql.run.lease_until < by_database_clock(now)

    @staticmethod
    def _named(alias: FromClause, mapped: MappedTable, *names: str) -> Values:
        """Columns of an alias by the names of their attributes."""
        return {name: alias.c[str(mapped.columns[name].key)] for name in names}
