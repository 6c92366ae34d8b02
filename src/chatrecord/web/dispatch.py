"""From what a client asks for to the run that answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import (
    ApprovalPending,
    ChatBusy,
    MessageNotFound,
    NothingToResume,
    RunNotFound,
)
from chatrecord.records import Json, Message, Run, ToolCall
from chatrecord.runs.process import Backend
from chatrecord.web.protocols.encoder import Opening, Seen

from .call_ids import current_calls, shown_calls
from .client_messages import ClientMessage, Decision, Decisions, Edit, Listed, Question, Regenerate
from .questions import Questions
from .retry_keys import RetryKeys
from .uploads import Kept, Upload

AWAITING = "awaiting_approval"

MOST_PENDING = 100
"""Questions of a chat that are shown although they are no messages yet."""

PATIENCE = 10.0
"""Seconds after which a response starts although its run has not: its queue may be long."""


class Dispatcher:
    """The runs of one chat, as its page asks for them."""

    def __init__(self, backend: Backend, chat: Chat) -> None:
        self._store = backend.store
        self._questions = Questions(backend, chat.id)
        self._keys = RetryKeys(backend, chat.id)
        self._chat = chat

    async def answer(self, message: ClientMessage) -> tuple[ChatStream, Opening]:
        """The run that this asks for: it has begun. Raises what forbids it."""
        match message:
            case Question(key=key):
                return await self._asked(message, None, key=key)
            case Listed():
                return await self._listed(message)
            case Edit():
                return await self._edited(message)
            case Regenerate():
                return await self._regenerated(message)
            case Decisions(decisions):
                return await self._decided(decisions)

    async def live(self) -> tuple[ChatStream, Opening] | None:
        """The run that is giving an answer just now, from its beginning."""
        run = await self._chat.active_run() or await self._next_queued()
        if run is None or run.status == "parked":
            return None
        return await self._followed(run.id)

    async def _next_queued(self) -> Run | None:
        """The run that a worker is to begin next."""
        queued = await self._store.list_runs(
            status="queued", scope={}, limit=MOST_PENDING, chat_id=self._chat.id
        )
        return queued[-1] if queued else None

    async def pending(self) -> list[Run]:
        """Runs whose questions are no messages yet, oldest first."""
        found = await self._store.pending_runs(self._chat.id, limit=MOST_PENDING)
        return [run for run in found if run.question_text is not None and run.replaces is None]

    async def stopped(self) -> bool:
        """Stop the active run, or else the one that a worker is to begin next."""
        if await self._chat.stop():
            return True
        queued = await self._next_queued()
        return queued is not None and await self._chat.stop(queued.id)

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
        question = await self._questions.of_run(run)
        return Opening(self._chat.id, run.id, question, run.started_at, seen)

    async def _asked(
        self, question: Question, run_id: str | None, *, key: str | None
    ) -> tuple[ChatStream, Opening]:
        files = await self._files(question.files)
        chat = self._chat.for_client(_told(question, run_id))
        return await self._begun(chat.stream(question.text, attachments=files, idempotency_key=key))

    async def _listed(self, listed: Listed) -> tuple[ChatStream, Opening]:
        asked, run_id = listed.question, listed.run_id
        if listed.answer is not None:
            await self._go_back_to(listed.answer)
        question = None if asked.key is None else await self._questions.current(asked.key)
        if question is None:
            question = await self._replaced_by(listed)
            if question is None:
                return await self._asked_anew(asked, run_id)
            return await self._edit(question, asked, run_id, key=asked.key)
        if run_id is None:  # a client with words for all else has sent it again
            return await self._asked(asked, None, key=asked.key)
        if (run := await self._sent_before(question, asked, run_id)) is not None:
            return await self._followed(run.id)
        if question.text != asked.text:
            return await self._edit(question, asked, run_id, key=_key_of(run_id))
        chat = self._chat.for_client(_told(asked, run_id), _key_of(run_id))
        return await self._again(question, chat)

    async def _go_back_to(self, answer_id: str) -> None:
        """The client shows this answer: if it is an earlier version, the question is for that."""
        answer = await self._questions.answer(answer_id)
        if answer is not None and answer.status == "superseded":
            with suppress(MessageNotFound):  # it never was current: its replacement failed
                await self._chat.restore(answer.id)

    async def _asked_anew(self, asked: Question, run_id: str | None) -> tuple[ChatStream, Opening]:
        """A question that was refused has left its key behind."""
        if asked.key is not None:
            key: str | None = await self._questions.key_of(asked.key)
        else:
            key = None if run_id is None else _key_of(run_id)
        return await self._asked(asked, run_id, key=key)

    async def _replaced_by(self, listed: Listed) -> Message | None:
        """The question in whose place the client has put this one."""
        if listed.is_whole and not listed.earlier:
            return await self._questions.first()
        return await self._questions.after(listed.earlier)

    async def _sent_before(self, question: Message, asked: Question, run_id: str) -> Run | None:
        """The run that this request has begun already, or that answers this question just now."""
        sent = await self._store.run_of_key(self._chat.id, _key_of(run_id))
        if sent is not None:
            return sent
        own = question.run_id and await self._store.get_run(self._chat.id, question.run_id)
        if own and own.client.get("runId") == run_id:  # what may have been replaced since
            return await self._questions.answering(question) or own
        active = await self._chat.active_run()
        if active is None or question.text != asked.text:
            return None
        answers = active.id == question.run_id or active.replaces == question.seq + 1
        return active if answers else None

    async def _edit(
        self, question: Message, asked: Question, run_id: str | None, *, key: str | None
    ) -> tuple[ChatStream, Opening]:
        files = await self._files(asked.files)
        if (run := await self._active_in_place(question.seq, asked.text)) is not None:
            return await self._followed(run.id)
        if key is None and asked.key is not None:
            key = await self._keys.of_edit(question.id, asked.text, files)
        chat = self._chat.for_client(_told(asked, run_id), key)
        try:
            return await self._begun(chat.edit(question.id, asked.text, attachments=files))
        except ChatBusy:
            run = await self._active_in_place(question.seq, asked.text)
            if run is None:
                raise
            return await self._followed(run.id)

    async def _again(
        self, question: Message | None, chat: Chat | None = None
    ) -> tuple[ChatStream, Opening]:
        """The question's answer is generated again, or that of the last question."""
        question = question or await self._store.last_prompt(self._chat.id)
        if question is None:
            msg = f"Chat {self._chat.id} has no question to regenerate an answer for"
            raise NothingToResume(msg)
        first = question.seq + 1
        if (run := await self._active_in_place(first, None)) is not None:
            return await self._followed(run.id)
        if chat is None and (answer := await self._questions.answering(question)) is not None:
            key = await self._keys.of_regeneration(answer.id)
            chat = self._chat.for_client({}, key)
        try:
            return await self._begun((chat or self._chat).regenerate(question.id))
        except ChatBusy:
            run = await self._active_in_place(first, None)
            if run is None:
                raise
            return await self._followed(run.id)

    async def _edited(self, edit: Edit) -> tuple[ChatStream, Opening]:
        assert edit.question.key is not None
        question = await self._questions.current(edit.question.key)
        if question is None:  # the client has it, but it never came here
            return await self._asked_anew(edit.question, None)
        return await self._edit(question, edit.question, None, key=None)

    async def _files(self, uploads: Sequence[Upload]) -> list[Attachment]:
        return [
            await self._chat.attachment(upload.hash) if isinstance(upload, Kept) else upload
            for upload in uploads
        ]

    async def _regenerated(self, wanted: Regenerate) -> tuple[ChatStream, Opening]:
        question = (
            None if wanted.message_id is None else await self._questions.before(wanted.message_id)
        )
        asked = wanted.question
        if question is None and asked is not None and asked.key is None:
            return await self._without_id(asked)
        if question is None and asked is None and wanted.message_id is not None:
            msg = f"Chat {self._chat.id} has no message {wanted.message_id}"
            raise MessageNotFound(msg)
        if question is None and asked is not None and asked.key is not None:
            question = await self._questions.current(asked.key)
            if question is None:  # it never came here, or was refused
                return await self._asked_anew(asked, None)
            if question.text != asked.text:  # an edit that came to nothing
                return await self._edit(question, asked, None, key=None)
        return await self._again(question)

    async def _without_id(self, asked: Question) -> tuple[ChatStream, Opening]:
        """The last question, where its text is this; a question of its own otherwise."""
        last = await self._store.last_prompt(self._chat.id)
        if last is None or last.text != asked.text:
            return await self._asked_anew(asked, None)
        return await self._again(last)

    async def _active_in_place(self, first: int, text: str | None) -> Run | None:
        """The active run, if it replaces the messages from there on by the same.

        The same was sent twice then, and is one run whatever a busy chat does otherwise.
        """
        run = await self._chat.active_run()
        if run is None or run.replaces != first:
            return None
        if text is not None:
            question = await self._questions.own(run)
            return run if question is not None and question.text == text else None
        return run

    async def _decided(self, decisions: tuple[Decision, ...]) -> tuple[ChatStream, Opening]:
        waiting = await self.waiting()
        for decision in decisions:
            if decision.call_id in waiting:
                await self._decide(replace(decision, call_id=waiting[decision.call_id].call_id))
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

    async def waiting(self) -> dict[str, ToolCall]:
        """The calls that wait for approval, by their ids on the wire."""
        run = await self._chat.active_run()
        if run is None or run.status != "parked":
            return {}
        calls = current_calls(await self._store.rows_of(run, with_journal=False))
        shown = zip(shown_calls(calls), calls, strict=True)
        return {on_wire.call_id: call for on_wire, call in shown if call.status == AWAITING}

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
        calls = current_calls(rows)
        shown = shown_calls(calls)
        asking = {call.message_id for call in shown if call.call_id in call_ids}
        answers = [row for row in rows.messages if row.role == "assistant"]
        last = next((row for row in reversed(answers) if row.id in asking), None)
        if last is None:
            msg = f"The last run of chat {self._chat.id} has made no such calls"
            raise RunNotFound(msg)
        seen = frozenset(row.id for row in answers if row.seq <= last.seq)
        told = [call for call in calls if call.message_id == last.id]
        return Seen(
            message_id=last.id,
            messages=seen,
            call_ids=frozenset(call.call_id for call in shown if call.message_id == last.id),
            denied=tuple(call for call in told if call.status == "denied"),
            calls=tuple(call for call in calls if call.message_id in seen),
        )


def _key_of(run_id: str) -> str:
    """The key of what a client asks for by its run alone. Its messages have ids of their own."""
    return f"run:{run_id}"


def _told(question: Question, run_id: str | None) -> dict[str, Json]:
    """What is kept of the client's own words for its question and its run."""
    told: dict[str, Json] = {}
    if question.key is not None:
        told["messageId"] = question.key
    if run_id is not None:
        told["runId"] = run_id
    if question.metadata is not None:
        told["metadata"] = question.metadata
    return told
