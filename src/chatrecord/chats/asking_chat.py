"""A chat whose runs can be begun."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

from chatrecord.attachments.attachment import Attachable, read_attachments
from chatrecord.errors import MessageNotFound, NothingToResume
from chatrecord.records import Message
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.run_spec import RunSpec
from chatrecord.store.rows import Replacement
from chatrecord.text.arguments import check_key, check_output_type, check_prompt

from .changing_chat import ChangingChat
from .loaded_chat import Metadata, Row

Prompt: TypeAlias = str | Sequence[object]
"""What is asked: text, or the LLM library's own sequence of texts, images and files."""


class AskingChat(ChangingChat[Row, Metadata]):
    """A chat whose runs can be begun."""

    async def _content(self, prompt: Prompt, attachments: Sequence[Attachable]) -> Prompt:
        """The prompt with its files."""
        check_prompt(prompt, has_files=bool(attachments))
        limit = self._policies.limits.attachment_bytes
        files = await read_attachments(attachments, limit)
        return self._llm.attached(prompt, files) if files else prompt

    def _question_spec(
        self, content: Prompt, output_type: type[object] | None, idempotency_key: str | None
    ) -> RunSpec:
        check_key(idempotency_key)
        return self._run_spec(content, output_type, idempotency_key)

    def _run_spec(
        self, content: Prompt | None, output_type: type[object] | None, idempotency_key: str | None
    ) -> RunSpec:
        check_output_type(output_type)
        return RunSpec(
            chat_id=self.id,
            content=content,
            instructions=self._opened.instructions,
            policies=self._policies,
            output_type=output_type,
            idempotency_key=idempotency_key,
            client=self._client,
            partition=self._partition(),
        )

    def _live(self, run_spec: RunSpec) -> LiveRun:
        journal = self._backend.runtime.journal
        run = LiveRun(self._backend.store, journal, self._llm, run_spec, self._runs)
        if self._policies.titles is not None and self.title is None:
            titling = self._title_after(run, self._policies.titles)
            self._backend.runtime.generate_title(self.id, titling)
        return run

    async def _question_to_answer(self, message_id: UUID | None) -> Message:
        """This question, or the last one."""
        if message_id is not None:
            return await self._current_question(message_id)
        last = await self._backend.store.last_prompt(self.id)
        if last is None:
            msg = f"Chat {self.id} has no question to regenerate an answer for"
            raise NothingToResume(msg)
        return last

    async def _current_question(self, message_id: UUID) -> Message:
        question = None
        with suppress(ValueError):  # what is no id is the id of no question
            wanted = UUID(str(message_id))
            question = await self._backend.store.get_message(self.id, wanted)
        if question is None or question.role != "user" or question.status == "superseded":
            msg = f"Message {message_id} is not a current question of chat {self.id}"
            raise MessageNotFound(msg)
        return question

    async def _spec_in_place(
        self, content: Prompt | None, output_type: type[object] | None, first: int
    ) -> RunSpec:
        run_spec = self._run_spec(content, output_type, self._client_key)
        return replace(run_spec, replaces=await self._replacement(first))

    async def _replacement(self, first: int) -> Replacement:
        """All messages from this number on, as of now."""
        (last,) = await self._backend.store.messages(self.id, limit=1, before=None)
        return Replacement(first=first, last=last.seq)
