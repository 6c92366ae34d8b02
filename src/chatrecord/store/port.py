"""The port to a database: what an adapter has to do, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.records import (
    ApiRequest,
    ChatRecord,
    Json,
    Message,
    Run,
    RunStatus,
    ToolCall,
    ToolCallStatus,
    Usage,
)
from chatrecord.spending.budgets import Spending
from chatrecord.spending.reports import Span, UsageRow
from chatrecord.text.arguments import LONGEST_KEY as LONGEST_KEY  # noqa: PLC0414 - it is a part of the port

from .window import Window

Scope: TypeAlias = Mapping[str, object]
"""Columns of the chat and the values they must have, such as `{"user_id": "u1"}`."""

LEASE = timedelta(seconds=30)
"""How long a run may be silent before another process takes it for dead.

The clocks of all processes on one database have to agree to within much less.
"""

PATIENCE = timedelta(seconds=10)
"""How long a database may fail or be silent before whatever waits for it is given up."""

Audit = Literal["delete", "keep", "anonymise"]
"""What becomes of a chat's requests when it is deleted.

They are deleted with it; or kept, without their chat; or kept without anything that could lead to
the chat or a person: their run, their message, their error's text and the provider's id.
"""

RunRecord: TypeAlias = Run | Message | ToolCall | ApiRequest
"""Whatever a run writes a row for."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A piece of a message that is still streaming. `seq` orders the pieces of one message."""

    message_id: UUID
    seq: int
    payload: Json

    @property
    def piece(self) -> tuple[str, str]:
        """Its kind, and what was said."""
        assert isinstance(self.payload, dict)
        return str(self.payload["kind"]), str(self.payload.get("text", ""))


FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when a parked run is safe from repair."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a run: as long as it is still active, and still of this epoch.

    Whoever takes a run over raises its epoch, be it in the same process: of two tasks that work on
    one run, the older one can write no more.
    """

    run_id: UUID
    owner: str
    epoch: int
    until: datetime


@dataclass(slots=True)
class Changes:
    """What one transaction of a run writes: new rows, changed rows, and the chat's next number.

    With a `lease`, all of it is refused (`LeaseLost`) once that lease is somebody else's.
    """

    chat_id: UUID
    lease: Lease | None = None
    new: dict[UUID, RunRecord] = field(default_factory=dict)
    changed: dict[UUID, RunRecord] = field(default_factory=dict)
    journaled: set[UUID] = field(default_factory=set)
    """Messages that are whole now, so that their journal can go."""
    never_sent: set[UUID] = field(default_factory=set)
    """Requests that were opened with their run but refused before they were sent."""
    next_seq: int | None = None
    superseded: tuple[int, int] | None = None
    """The numbers from and below which every message is replaced now, and their summaries."""

    def add(self, record: RunRecord) -> None:
        """A row that does not exist yet."""
        self.new[record.id] = record

    def put(self, record: RunRecord) -> None:
        """A row as it is now, new or not."""
        rows = self.new if record.id in self.new else self.changed
        rows[record.id] = record

    def followed_by(self, later: Changes) -> Changes:
        """These changes, which could not be written, with those made since."""
        self.new.update(later.new)
        for record in later.changed.values():
            self.put(record)
        self.never_sent |= later.never_sent
        self.next_seq = later.next_seq or self.next_seq
        self.superseded = later.superseded or self.superseded
        return self


@dataclass(frozen=True, slots=True)
class Claim:
    """What has to be allowed before a request is stored, by what its owner has spent since then.

    `by` is a column of the chat, `"chat_id"`, or `None` for all chats together.
    """

    by: str | None
    since: datetime | None
    admits: Callable[[Spending], bool]


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of a run: it changes whenever the run writes."""

    status: RunStatus
    lease_until: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class RunRows:
    """Everything a run has written, oldest first."""

    messages: Sequence[Message]
    tool_calls: Sequence[ToolCall]
    requests: Sequence[ApiRequest]
    journal: Sequence[JournalEntry]


@dataclass(frozen=True, slots=True)
class RunsRows:
    """Some runs of a chat and what they did beside saying something, oldest first."""

    runs: Sequence[Run]
    tool_calls: Sequence[ToolCall]
    requests: Sequence[ApiRequest]


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a run is to replace: the messages from the number `first` on, `last` being the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class RunStart:
    """The first transaction of a run. Its messages get the chat's next numbers.

    Without a `request` none has been admitted yet. A run that is `in_line` begins only if no other
    of its chat has waited for longer, and raises `ChatBusy` otherwise. A run that `replaces` sees
    none of what it replaces; without a `prompt` it answers the last one before that. It raises
    `ChatBusy` where the chat has gone on meanwhile. With `with_summary` the last summary of older
    messages stands in their place in its history.
    """

    run: Run
    prompt: Message | None
    answer: Message
    request: ApiRequest | None
    window: Window
    replaces: Replacement | None = None
    in_line: bool = False
    with_summary: bool = False

    @property
    def opening(self) -> list[Message]:
        """The messages it opens with."""
        return [message for message in (self.prompt, self.answer) if message is not None]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run finds when it begins: its first `seq`, and the history that its window holds."""

    seq: int
    history: Sequence[Message]


class Store(Protocol):
    """The port. Every method is one transaction of its own, unless it says otherwise.

    `Changes` are written whole or not at all. What fails raises a `ChatRecordError` or the
    driver's own error, never silently; a database that does not answer has failed, too.
    """

    async def insert_chat(
        self, chat: ChatRecord, *, connection: object | None = None
    ) -> ChatRecord:
        """Write a new chat, on `connection` (and in its transaction) where one is given.

        Returns it as it was stored, with the defaults of columns that were left out.
        """

    async def get_chat(self, chat_id: UUID, scope: Scope) -> ChatRecord | None:
        """The chat of this id within the scope."""

    async def list_chats(
        self,
        *,
        limit: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> list[ChatRecord]:
        """Chats within the scope, newest activity first, after the key `before`.

        With `search`, those whose title contains it, in capitals or not.
        """

    async def set_title(
        self, chat_id: UUID, title: str | None, *, over: Literal["any", "none"] = "any"
    ) -> bool:
        """Give a chat this title, or none; whether that was done. Its place stays.

        Where there is no such chat it is not, nor over a title that is there if `over` is `"none"`.
        """

    async def rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
    ) -> bool:
        """Write a chat's metadata and these new messages, whether that was done.

        Only if the chat, as it is stored, is `still` right. The messages get its next numbers.
        """

    async def delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit = "delete") -> bool:
        """Delete a chat and all that belongs to it; whether there was one. See `Audit`."""

    async def idle_chats(self, before: datetime, scope: Scope, *, limit: int) -> list[UUID]:
        """Chats within the scope without an active run, last used before this, oldest first."""

    async def erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        """Delete those of these chats that are idle still; how many there were."""

    def rows_of_chat(
        self, chat_id: UUID, scope: Scope
    ) -> AsyncGenerator[ChatRecord | RunRecord | JournalEntry | ChatFile]:
        """A chat within the scope, and then everything in it, all as of one moment.

        Its runs (but for those that wait for their turn), messages, tool calls, requests, the
        journal, and the files that messages and tool calls refer to, each in order. Nothing where
        there is no such chat. A transaction is open until the last of them.
        """

    async def insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[RunRecord | JournalEntry | ChatFile]
    ) -> ChatRecord:
        """Write a chat with all its rows, which are in the order of `rows_of_chat`.

        Messages and tool calls refer to their files, or have them in them. Rows of a kind that is
        not kept here are left out. Raises `ChatExists`.
        """

    async def begin(self, start: RunStart) -> Begun:
        """Begin a run, or raise `ChatBusy` where another is active."""

    async def stand_in_line(self, run: Run) -> None:
        """Write down, or once more, that this run waits for its turn, as long as its lease is good.

        Those that wait for a chat stand in the order of their ids.
        """

    async def leave_line(self, run: Run) -> None:
        """This run waits no more."""

    async def write(self, changes: Changes) -> None:
        """Write what a run has to say."""

    async def end_asides(self, since: datetime, before: datetime, why: str) -> int:
        """End the requests of no run that were begun in this time and are open; how many."""

    async def admit(
        self, request: ApiRequest, lease: Lease | None, claims: Sequence[Claim]
    ) -> bool:
        """Store a request if all claims admit it; whether they did. Raises what they raise.

        Without a lease it is a request that no run makes.

        Of two requests on what is left to one owner, the second sees the first.
        """

    async def tick(self, news: Mapping[Lease, Sequence[JournalEntry]]) -> Mapping[UUID, bool]:
        """Renew these leases, and append the news of each run to the journal.

        Tells those who listen to `tidings` of runs that have news, where the database can tell.
        Returns for each run whether it has been asked to stop. A run that is missing there has been
        taken over, and nothing was written for it.
        """

    async def active_run(self, chat_id: UUID) -> Run | None:
        """The run that holds the chat."""

    async def expired_runs(
        self, now: datetime, *, chats: Sequence[UUID] | None, limit: int
    ) -> list[Run]:
        """Active runs whose lease has expired, of these chats or of all.

        Of all: those that wait in line, too.
        """

    async def claim(self, run: Run, *, owner: str, now: datetime, until: datetime) -> Run | None:
        """Take over a run whose lease has expired; `None` where somebody else was faster."""

    async def beats(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Beat]:
        """How each of these runs does; deleted ones are missing."""

    async def get_run(self, chat_id: UUID, run_id: UUID) -> Run | None:
        """This run of the chat."""

    async def reopen(self, run: Run, *, owner: str, until: datetime) -> Run | None:
        """Take up a run that was parked or has ended; `None` where it is not as `run` says.

        Raises `NothingToResume` where the chat has gone on since the run has ended.
        """

    async def decide(
        self, chat_id: UUID, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> bool:
        """Approve or deny a tool call that waits for it; whether one did."""

    async def rows_of(self, run: Run, *, with_journal: bool = True) -> RunRows:
        """Everything a run has written, its journal only where that is wanted."""

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        """These runs of the chat, with their tool calls and requests as far as they are kept."""

    async def run_of_key(self, chat_id: UUID, key: str) -> Run | None:
        """The run of the chat that was begun with this idempotency key."""

    async def request_stop(self, run_id: UUID) -> bool:
        """Ask whoever owns this run to stop it; whether it was active."""

    async def journal(self, message_id: UUID, *, after: int) -> list[JournalEntry]:
        """The pieces of a message that is still streaming, after the number `after`."""

    async def journal_since(self, marks: Mapping[UUID, int]) -> list[JournalEntry]:
        """The pieces of these messages after the number each has been read to, in their order."""

    def tidings(self) -> AsyncGenerator[Collection[UUID] | None]:
        """The ids of runs that have just written something, as soon as the database tells.

        `None` is for runs that are not named. A database that cannot tell says nothing, ever.
        """

    async def with_files(self, messages: Sequence[Message]) -> list[Message]:
        """These messages of one chat with their files in them, instead of references to those.

        One query for all. Messages come from here with references, and go back so or as they were
        made: with the files in them, which are taken out then.
        """

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        """The file of this hash in the chat; without a name where it never had one."""

    async def get_message(self, chat_id: UUID, message_id: UUID) -> Message | None:
        """This message of the chat."""

    async def first_messages(self, chat_id: UUID, *, limit: int) -> list[Message]:
        """The first messages that still stand, oldest first."""

    async def last_prompt(self, chat_id: UUID) -> Message | None:
        """The last message of the user that still stands."""

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        """The last messages below the number `before`, oldest first."""

    async def history(
        self, chat_id: UUID, window: Window, *, before: int, with_summary: bool = False
    ) -> list[Message]:
        """As many messages below the number `before` as the window takes, oldest first.

        Superseded ones are left out and take no place. Where no round begins among them, it is the
        whole round that they end. With `with_summary` the last summary of messages below `before`
        comes first, and then only what it does not cover.
        """

    async def summaries(self, chat_id: UUID) -> list[Message]:
        """Every summary of older messages, superseded ones too, oldest first."""

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        """Every tool call of the chat, oldest first."""

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        """Every attempt at a provider, oldest first."""

    async def usage(self, chat_id: UUID) -> Usage:
        """What the chat has used so far."""

    async def report(self, by: Sequence[str], span: Span, scope: Scope) -> list[UsageRow]:
        """The requests of this time within the scope, grouped: see `spending.reports`."""

    def chat_columns(self) -> Sequence[str]:
        """The names of the columns a chat has beside the library's own."""

    def check_column(self, name: str, value: object) -> None:
        """Raise `TypeError` or `ValueError` for a value that this column of a chat cannot take.

        One of another type is none: databases would take `0` for `"Bob"`, or `"7abc"` for `7`.
        Raises `TypeError` for a column that there is not.
        """

    async def close(self) -> None:
        """Give back every connection."""
