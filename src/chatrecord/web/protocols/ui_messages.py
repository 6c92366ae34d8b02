"""The messages of a chat as the AI SDK's UI messages: a question each, and an answer per run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from chatrecord.errors import RunError, RunInterrupted, RunStopped, error_from_text
from chatrecord.llm.stored_parts import output_of, outputs_of, stored_parts
from chatrecord.records import Attached, Json, Message, ProviderCall, Run, ToolCall
from chatrecord.spending.usage import usage_of
from chatrecord.store.shown_store import ShownStore
from chatrecord.web.call_ids import WireIds
from chatrecord.web.error_responses import is_ordinary, problem_of

from .ai_sdk import Version, output_part, provider_part, source_part, tool_part
from .encoder import Ending, Status, file_json

ROWS = 100
"""Rows that are read at once."""

SHOWN = {"user", "assistant", "tool"}
"""What was said, rather than what was sent along."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages, oldest first. `next` is what `before` has to be for those before them."""

    messages: Sequence[dict[str, Json]]
    next: int | None


@dataclass(slots=True)
class Turn:
    """Rows that are shown as one message: a question, or all answers of a run."""

    rows: list[Message] = field(default_factory=list)

    @property
    def first(self) -> Message:
        """Its first row."""
        return self.rows[0]

    @property
    def run_id(self) -> UUID | None:
        """Its run."""
        return self.first.run_id

    @property
    def is_question(self) -> bool:
        """Whether a user said it."""
        return self.first.role == "user"

    def takes(self, row: Message) -> bool:
        """Whether this row belongs to it."""
        return row.role != "user" and not self.is_question and row.run_id == self.run_id


@dataclass(frozen=True, slots=True)
class Read:
    """The turns of a page, and those around it that were read for it."""

    turns: Sequence[Turn]
    page: Sequence[Turn]

    @property
    def next(self) -> int | None:
        """What `before` has to be for the turns before the page."""
        return self.page[0].first.seq if len(self.page) < len(self.turns) else None

    def with_questions(self) -> Iterator[tuple[Turn, UUID | None]]:
        """The turns of the page, each with the question that it answers."""
        return _with_questions(self.turns, self.page)

    async def writer(
        self, store: ShownStore, chat_id: UUID, version: Version, files: str
    ) -> Writer:
        """What writes them. `files` is the address below which the chat's files are."""
        return await _writer(store, chat_id, self.page, version, files)


async def read_turns(
    store: ShownStore, chat_id: UUID, active: Run | None, *, limit: int, before: int | None
) -> Read:
    """The last turns below the number `before`, as the chat is now."""
    rows: list[Message] = []
    turns: list[Turn] = []
    exhausted = False
    while not exhausted and len(turns) <= limit:
        lowest = rows[0].seq if rows else before
        older = await store.messages(chat_id, limit=ROWS, before=lowest)
        exhausted = len(older) < ROWS
        rows = [*older, *rows]
        turns = turns_of(rows, active)
    return Read(turns, turns[-limit:])


async def read_page(
    store: ShownStore,
    chat_id: UUID,
    active: Run | None,
    *,
    limit: int,
    before: int | None,
    version: Version,
    files: str,
) -> Page:
    """The last messages below the number `before`, as the chat is now.

    `files` is the address below which its files are to be had.
    """
    read = await read_turns(store, chat_id, active, limit=limit, before=before)
    writer = await read.writer(store, chat_id, version, files)
    messages = [writer.message_of(turn, asked) for turn, asked in read.with_questions()]
    return Page([message for message in messages if message is not None], read.next)


def turns_of(rows: Sequence[Message], active: Run | None) -> list[Turn]:
    """Rows as turns, without what was replaced, or is being replaced just now."""
    turns: list[Turn] = []
    for row in rows:
        if row.role not in SHOWN or row.status == "superseded" or _is_leaving(row, active):
            continue
        if turns and turns[-1].takes(row):
            turns[-1].rows.append(row)
        else:
            turns.append(Turn([row]))
    return turns


def _is_leaving(row: Message, active: Run | None) -> bool:
    if active is None or active.replaces is None or row.run_id == active.id:
        return False
    return row.seq >= active.replaces


def _with_questions(
    turns: Sequence[Turn], page: Sequence[Turn]
) -> Iterator[tuple[Turn, UUID | None]]:
    question: UUID | None = None
    for turn in turns:
        if turn.is_question:
            question = turn.first.id
        if any(turn is shown for shown in page):
            yield turn, question


@dataclass(slots=True)
class Step:
    """The parts of one answer. What follows words of its kind continues them, as in a stream."""

    parts: list[dict[str, Json]] = field(default_factory=list)
    _open: dict[str, Json] | None = None

    def say(self, kind: str, text: str) -> None:
        """More text, or reasoning."""
        if self._open is not None and self._open["type"] == kind:
            self._open["text"] = f"{self._open['text']}{text}"
            return
        self._open = {"type": kind, "text": text, "state": "done"}
        self.parts.append(self._open)

    def tell(self, call: ProviderCall) -> None:
        """A call that the provider runs, or its result."""
        self._open = None
        for place, part in enumerate(self.parts):
            if part.get("toolCallId") == call.call_id:
                whole = replace(call, arguments=part["input"])
                self.parts[place] = provider_part(whole)
                return
        self.parts.append(provider_part(call))

    def add(self, *parts: dict[str, Json]) -> None:
        """Something that does not interrupt the text before it."""
        self.parts += parts


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes turns as UI messages, with what their runs did."""

    runs: dict[UUID, Run]
    calls: dict[UUID, list[ToolCall]]
    endings: dict[UUID, Ending]
    version: Version
    files: str

    def message_of(self, turn: Turn, question: UUID | None) -> dict[str, Json] | None:
        """One message; `None` for an answer that streams, and has not finished a step yet."""
        if turn.is_question:
            return self._question(turn.first)
        answers = [row for row in turn.rows if row.role == "assistant"]
        parts = [part for row in answers for part in self._parts(row, is_last=row is answers[-1])]
        metadata = self._metadata(turn, question)
        if not parts and metadata["status"] == "streaming":
            return None
        return {
            "id": str(turn.run_id or turn.first.id),
            "role": "assistant",
            "metadata": metadata,
            "parts": parts or [{"type": "step-start"}],
        }

    def _question(self, row: Message) -> dict[str, Json]:
        run = self.runs.get(row.run_id) if row.run_id else None
        metadata = {**_told(run), "createdAt": row.created_at.isoformat()}
        parts: list[Json] = [*self._files(row), {"type": "text", "text": row.text}]
        return {"id": str(row.id), "role": "user", "metadata": metadata, "parts": parts}

    def _metadata(self, turn: Turn, question: UUID | None) -> dict[str, Json]:
        run_id = turn.run_id
        metadata: dict[str, Json] = {"createdAt": turn.first.created_at.isoformat()}
        if run_id is not None:
            metadata["runId"] = str(run_id)
        if question is not None:
            metadata["questionId"] = str(question)
        ending = self.endings.get(run_id) if run_id else None
        ended = ending or Ending(_status_of(turn), turn.rows[-1].finish_reason)
        return metadata | ended.metadata()

    def _parts(self, row: Message, *, is_last: bool) -> list[Json]:
        """The parts of one step, in the order in which they came."""
        found = stored_parts(row)
        step = Step()
        for part in found:
            if part.kind in ("text", "reasoning"):
                step.say(part.kind, part.text)
            elif part.provider_call is not None:
                step.tell(part.provider_call)
            elif part.source is not None:
                step.add(source_part(part.source))
            elif part.file is not None:
                step.add(*self._file(part.file))
        run = self.runs.get(row.run_id) if row.run_id else None
        output = output_of(found, outputs_of(run.settings)) if run and is_last else None
        if output is not None:
            step.add(output_part(output))
        step.add(*(tool_part(call, self.version) for call in self.calls.get(row.id, ())))
        return [{"type": "step-start"}, *step.parts] if step.parts else []

    def _files(self, row: Message) -> list[Json]:
        """The files in a message, by their addresses."""
        return [part for file in row.attachments for part in self._file(file)]

    def _file(self, file: Attached) -> Iterator[dict[str, Json]]:
        known = file_json(file, self.files)
        if known is not None:
            yield {"type": "file", **known}


async def _writer(
    store: ShownStore, chat_id: UUID, page: Sequence[Turn], version: Version, files: str
) -> Writer:
    run_ids = {turn.run_id for turn in page if turn.run_id is not None}
    rows = await store.rows_of_runs(chat_id, run_ids)
    calls: dict[UUID, list[ToolCall]] = {}
    ids: dict[UUID | None, WireIds] = {}
    current = {row.id for turn in page for row in turn.rows}
    for call in rows.tool_calls:
        if call.message_id not in current:
            continue
        shown = ids.setdefault(call.run_id, WireIds()).shown(call)
        calls.setdefault(call.message_id, []).append(shown)
    last = {turn.run_id: turn.rows[-1] for turn in page if not turn.is_question}
    endings = {}
    for run in rows.runs:
        reason = last[run.id].finish_reason if run.id in last else None
        spent = usage_of(request for request in rows.requests if request.run_id == run.id)
        cost = None if spent.unpriced_requests or spent.cost is None else float(spent.cost)
        error = _error(run)
        endings[run.id] = Ending(
            _status(run),
            reason,
            spent,
            cost,
            problem=None if error is None or is_ordinary(error) else problem_of(error),
            stopped=isinstance(error, RunStopped),
        )
    return Writer({run.id: run for run in rows.runs}, calls, endings, version, files)


def _told(run: Run | None) -> dict[str, Json]:
    """What the client has sent along with a question, and its own id of it."""
    if run is None:
        return {}
    kept, client_id = run.client.get("metadata"), run.client.get("messageId", run.idempotency_key)
    told = {**kept} if isinstance(kept, dict) else {}
    return told if client_id is None else {**told, "clientId": client_id}


def _status(run: Run) -> Status:
    if run.status == "waiting" or run.status == "queued" or run.status == "running":  # noqa: PLR1714 - so that types are narrowed
        return "streaming"
    return run.status


def _status_of(turn: Turn) -> Status:
    status = turn.rows[-1].status
    return "complete" if status == "superseded" else status


def _error(run: Run) -> RunError | None:
    if run.status not in ("failed", "interrupted") or run.error is None:
        return None
    otherwise = RunInterrupted if run.status == "interrupted" else RunError
    return error_from_text(run.error, otherwise=otherwise)
