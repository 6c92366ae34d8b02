"""From what a client asks for to the run that answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import ApprovalPending, ChatBusy, MessageNotFound, RunNotFound
from chatrecord.records import Message, Run
from chatrecord.runs.process import Backend
from chatrecord.web.protocols.encoder import Opening, Seen

from .client_messages import ClientMessage, Decision, Decisions, Edit, Question, Regenerate
from .uploads import Kept, Upload

PATIENCE = 10.0
"""Seconds after which a response starts although its run has not: its queue may be long."""

PAGE = 50
"""Messages that are read at once in the search for one."""


class Dispatcher:
    """The runs of one chat, as its page asks for them."""

    def __init__(self, backend: Backend, chat: Chat) -> None:
        self._store = backend.store
        self._chat = chat

    async def answer(self, message: ClientMessage) -> tuple[ChatStream, Opening]:
        """The run that this asks for: it has begun. Raises what forbids it."""
        match message:
            case Question(text, key, uploads):
                files = await self._files(uploads)
                return await self._begun(
                    self._chat.stream(text, attachments=files, idempotency_key=key)
                )
            case Edit():
                return await self._edited(message)
            case Regenerate():
                return await self._regenerated(message)
            case Decisions(decisions):
                return await self._decided(decisions)

    async def live(self) -> tuple[ChatStream, Opening] | None:
        """The run that is giving an answer just now, from its beginning."""
        run = await self._chat.active_run()
        if run is None or run.status == "parked":
            return None
        return await self._followed(run.id)

    async def resumed(self) -> tuple[ChatStream, Opening]:
        """The last run, resumed, from its beginning."""
        stream = self._chat.resume()
        return await self._followed(await stream.begun())

    async def _begun(
        self, stream: ChatStream, seen: Seen | None = None
    ) -> tuple[ChatStream, Opening]:
        try:
            async with asyncio.timeout(PATIENCE):
                run_id = await stream.begun()
        except TimeoutError:
            assert stream.run_id is not None
            run_id = stream.run_id
        return stream, await self._opening(run_id, seen)

    async def _followed(self, run_id: UUID, seen: Seen | None = None) -> tuple[ChatStream, Opening]:
        return self._chat.follow(run_id), await self._opening(run_id, seen)

    async def _opening(self, run_id: UUID, seen: Seen | None) -> Opening:
        run = await self._store.get_run(self._chat.id, run_id)
        if run is None:
            msg = f"There is no run {run_id}"
            raise RunNotFound(msg)
        question = await self._question_of(run)
        return Opening(self._chat.id, run.id, question, run.started_at, seen)

    async def _question_of(self, run: Run) -> UUID | None:
        """The message that a run answers: its own, or the one that was there before it."""
        rows = await self._store.rows_of(run, with_journal=False)
        own = next((row for row in rows.messages if row.role == "user"), None)
        if own is not None or run.replaces is None:
            return own.id if own else None
        before = await self._store.messages(self._chat.id, limit=1, before=run.replaces)
        return before[0].id if before else None

    async def _edited(self, edit: Edit) -> tuple[ChatStream, Opening]:
        question = await self._question(edit.message_id)
        if question is None:  # the client has it, but it never came here
            return await self.answer(Question(edit.text, edit.message_id, edit.files))
        files = await self._files(edit.files)
        try:
            return await self._begun(self._chat.edit(question.id, edit.text, attachments=files))
        except ChatBusy as busy:
            return await self._same(busy, question.seq, edit.text)

    async def _files(self, uploads: Sequence[Upload]) -> list[Attachment]:
        return [
            await self._chat.attachment(upload.hash) if isinstance(upload, Kept) else upload
            for upload in uploads
        ]

    async def _regenerated(self, wanted: Regenerate) -> tuple[ChatStream, Opening]:
        question = (
            None if wanted.message_id is None else await self._question_before(wanted.message_id)
        )
        asked = wanted.question
        if question is None and asked is not None and asked.key is not None:
            question = await self._question(asked.key)
            if question is None:  # it never came here, or was refused
                return await self.answer(asked)
            if question.text != asked.text:  # an edit that came to nothing
                return await self._edited(Edit(asked.key, asked.text, asked.files))
        try:
            return await self._begun(self._chat.regenerate(question.id if question else None))
        except ChatBusy as busy:
            if question is None:
                question = await self._store.last_prompt(self._chat.id)
            if question is None:
                raise
            return await self._same(busy, question.seq + 1, None)

    async def _same(
        self, busy: ChatBusy, first: int, text: str | None
    ) -> tuple[ChatStream, Opening]:
        """The active run, if it is what this one was to be: the same was sent twice."""
        run = busy.run_id and await self._store.get_run(self._chat.id, busy.run_id)
        if not run or run.replaces != first:
            raise busy
        if text is not None:
            rows = await self._store.rows_of(run, with_journal=False)
            if [row.text for row in rows.messages if row.role == "user"] != [text]:
                raise busy
        return await self._followed(run.id)

    async def _decided(self, decisions: tuple[Decision, ...]) -> tuple[ChatStream, Opening]:
        waiting = {call.call_id: call for call in await self._chat.pending_approvals()}
        for decision in decisions:
            if decision.call_id in waiting:
                await self._decide(decision)
        run = await self._last_run()
        seen = await self._seen(run, {decision.call_id for decision in decisions})
        if run.status != "parked":  # another tab was faster
            return await self._followed(run.id, seen)
        try:
            return await self._begun(self._chat.resume(), seen)
        except ApprovalPending:
            raise
        except ChatBusy:
            return await self._followed(run.id, seen)

    async def _decide(self, decision: Decision) -> None:
        with suppress(RunNotFound):  # decided in another tab, since it was found to wait
            if decision.approved:
                await self._chat.approve(decision.call_id)
            else:
                await self._chat.deny(decision.call_id, reason=decision.reason)

    async def _last_run(self) -> Run:
        active = await self._chat.active_run()
        if active is not None:
            return active
        last = await self._store.messages(self._chat.id, limit=1, before=None)
        run_id = last[0].run_id if last else None
        run = None if run_id is None else await self._store.get_run(self._chat.id, run_id)
        if run is None:
            msg = f"Chat {self._chat.id} has no run yet"
            raise RunNotFound(msg)
        return run

    async def _seen(self, run: Run, call_ids: set[str]) -> Seen:
        """What the client has of this run, if it has these calls."""
        rows = await self._store.rows_of(run, with_journal=False)
        asking = {call.message_id for call in rows.tool_calls if call.call_id in call_ids}
        answers = [row for row in rows.messages if row.role == "assistant"]
        last = next((row for row in reversed(answers) if row.id in asking), None)
        if last is None:
            msg = f"The last run of chat {self._chat.id} has made no such calls"
            raise RunNotFound(msg)
        return Seen(
            message_id=last.id,
            messages=frozenset(row.id for row in answers if row.seq <= last.seq),
            call_ids=frozenset(
                call.call_id for call in rows.tool_calls if call.message_id == last.id
            ),
            denied=tuple(
                call
                for call in rows.tool_calls
                if call.message_id == last.id and call.status == "denied"
            ),
        )

    async def _question(self, message_id: str) -> Message | None:
        """The current question in the place of this one; `None` if it was never asked here."""
        question = await self._by_id(message_id) or await self._by_key(message_id)
        while question is not None and question.status == "superseded":
            question = await self._instead_of(question)
        return question

    async def _by_id(self, message_id: str) -> Message | None:
        row_id = _uuid_of(message_id)
        found = row_id and await self._store.get_message(self._chat.id, row_id)
        return found if found and found.role == "user" else None

    async def _by_key(self, message_id: str) -> Message | None:
        run = await self._store.run_of_key(self._chat.id, message_id)
        return None if run is None else await self._own_question(run)

    async def _own_question(self, run: Run) -> Message | None:
        rows = await self._store.rows_of(run, with_journal=False)
        return next((row for row in rows.messages if row.role == "user"), None)

    async def _instead_of(self, question: Message) -> Message:
        """The question of the run that has replaced this one, the latest that has a question."""
        before: int | None = None
        while True:
            page = await self._store.messages(self._chat.id, limit=PAGE, before=before)
            later = [row for row in page if row.role == "user" and row.seq > question.seq]
            for row in reversed(later):
                run = row.run_id and await self._store.get_run(self._chat.id, row.run_id)
                if run and run.replaces == question.seq and run.status != "failed":
                    return row
            if len(page) < PAGE or page[0].seq <= question.seq:
                msg = f"Question {question.id} was replaced, but not by another question"
                raise MessageNotFound(msg)
            before = page[0].seq

    async def _question_before(self, message_id: str) -> Message | None:
        """The question of this message: its own, or that of the run of this id."""
        run_id = _uuid_of(message_id)
        run = run_id and await self._store.get_run(self._chat.id, run_id)
        if not run:
            return await self._question(message_id)
        question_id = await self._question_of(run)
        return None if question_id is None else await self._question(str(question_id))


def _uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
