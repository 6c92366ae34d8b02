"""The questions of a chat, found by what its clients know of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chatrecord.errors import MessageNotFound, Refused, RunError, error_from_text
from chatrecord.records import Message, Role, Run
from chatrecord.runs.process import Backend
from chatrecord.store.queued_question import queued_prompt

PAGE = 50
"""Messages that are read at once in the search for one."""

MOST_EARLIER = 100
"""Questions of a client's list that are looked up, the last first, until one is known."""


class Questions:
    """The questions of one chat. Clients name them by our ids or by their own."""

    def __init__(self, backend: Backend, chat_id: UUID) -> None:
        self._store = backend.store
        self._chat_id = chat_id

    async def current(self, message_id: str) -> Message | None:
        """The current question in the place of this one.

        `None` if it was never asked here, or was refused. Raises `MessageNotFound` if it went with
        an earlier one that was replaced.
        """
        question = await self._by_id(message_id) or await self._by_key(message_id)
        while question is not None and question.status == "superseded":
            question = await self._place_of(question) or await self._instead_of(question)
        return question

    async def answer(self, message_id: str) -> Message | None:
        """The answer of this id, or that of the run of this id."""
        row_id = _uuid_of(message_id)
        if row_id is None:
            return None
        found = await self._store.get_message(self._chat_id, row_id)
        if found is not None:
            return found
        run = await self._store.get_run(self._chat_id, row_id)
        rows = None if run is None else await self._store.rows_of(run, with_journal=False)
        answers = [it for it in rows.messages if it.role == "assistant"] if rows else []
        return answers[-1] if answers else None

    async def id_of(self, message_id: str) -> str:
        """Our id of a message or run that a client names by our id or by its own."""
        if _uuid_of(message_id) is None:
            question = await self._by_key(message_id)
            return message_id if question is None else str(question.id)
        return message_id

    async def of_run(self, run: Run) -> UUID | None:
        """The message that a run answers: its own, or the one that was there before it."""
        own = await self.own(run) or queued_prompt(run)
        if own is not None or run.replaces is None:
            return own.id if own else None
        before = await self._store.messages(self._chat_id, limit=1, before=run.replaces)
        return before[0].id if before else None

    async def key_of(self, message_id: str) -> str:
        """The key under which a client's question is asked: its id, or one instead.

        A question that was refused, or lost before it was stored, has left its key behind.
        """
        key = message_id
        while (run := await self._store.run_of_key(self._chat_id, key)) is not None:
            if not await self._came_to_nothing(run):
                break
            key = f"anew:{run.id}"
        return key

    async def _came_to_nothing(self, run: Run) -> bool:
        if run.status in ("queued", "waiting", "running", "parked"):
            return False  # a question is stored in its turn
        question = await self.own(run)
        return question is None or await self._was_refused(question)

    async def own(self, run: Run) -> Message | None:
        """The question that was asked with this run."""
        rows = await self._store.rows_of(run, with_journal=False)
        return next((row for row in rows.messages if row.role == "user"), None)

    async def before(self, message_id: str) -> Message | None:
        """The question of this message: its own, or that of the run of this id."""
        run_id = _uuid_of(message_id)
        run = run_id and await self._store.get_run(self._chat_id, run_id)
        if not run:
            return await self.current(message_id)
        question_id = await self.of_run(run)
        return None if question_id is None else await self.current(str(question_id))

    async def after(self, earlier: Sequence[str]) -> Message | None:
        """The first question after those, of which the last comes first, if one of them is known.

        A client whose list goes on differently there has cut or edited it. Of a long list that is
        not of this chat, not every id is looked up.
        """
        for message_id in earlier[:MOST_EARLIER]:
            known = await self.current(message_id)
            if known is not None:
                return await self._next(known.seq, "user")
        return None

    async def first(self) -> Message | None:
        """The first question of the chat."""
        first = await self._store.first_messages(self._chat_id, limit=PAGE)
        return next((row for row in first if row.role == "user"), None)

    async def answering(self, question: Message) -> Run | None:
        """The run whose answer to this question is the current one."""
        answer = await self._next(question.seq, "assistant")
        run_id = None if answer is None else answer.run_id
        return None if run_id is None else await self._store.get_run(self._chat_id, run_id)

    async def _next(self, seq: int, role: Role) -> Message | None:
        """The first current message of this role after that number."""
        found, before = None, None
        while True:
            page = await self._store.messages(self._chat_id, limit=PAGE, before=before)
            later = [row for row in page if row.role == role and row.seq > seq]
            found = next((row for row in later if row.status != "superseded"), found)
            if len(page) < PAGE or page[0].seq <= seq:
                return found
            before = page[0].seq

    async def _by_id(self, message_id: str) -> Message | None:
        row_id = _uuid_of(message_id)
        found = row_id and await self._store.get_message(self._chat_id, row_id)
        return found if found and found.role == "user" else None

    async def _by_key(self, message_id: str) -> Message | None:
        for key in (await self.key_of(message_id), message_id):
            run = await self._store.run_of_key(self._chat_id, key)
            if run is not None:
                return await self.own(run)
        return None

    async def _place_of(self, question: Message) -> Message | None:
        """The question that this one was to replace, if nothing came of that."""
        run = question.run_id and await self._store.get_run(self._chat_id, question.run_id)
        if not run or run.replaces is None or run.status == "complete":
            return None
        (there,) = await self._store.messages(self._chat_id, limit=1, before=run.replaces + 1)
        return there

    async def _instead_of(self, question: Message) -> Message | None:
        """The question of the run that has replaced this one, the latest that has a question."""
        before: int | None = None
        while True:
            page = await self._store.messages(self._chat_id, limit=PAGE, before=before)
            later = [row for row in page if row.role == "user" and row.seq > question.seq]
            for row in reversed(later):
                run = row.run_id and await self._store.get_run(self._chat_id, row.run_id)
                if run and run.replaces == question.seq and run.status == "complete":
                    return row
            if len(page) < PAGE or page[0].seq <= question.seq:
                break
            before = page[0].seq
        if await self._was_refused(question):
            return None
        msg = f"Question {question.id} was replaced, but not by another question"
        raise MessageNotFound(msg)

    async def _was_refused(self, question: Message) -> bool:
        run = question.run_id and await self._store.get_run(self._chat_id, question.run_id)
        if not run or run.error is None:
            return False
        return isinstance(error_from_text(run.error, otherwise=RunError), Refused)


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
