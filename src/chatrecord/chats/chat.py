"""The class `Chat`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload
from uuid import UUID

from typing_extensions import TypeVar

from chatrecord.attachments.attachment import Attachable
from chatrecord.feedback import Feedback
from chatrecord.records import Reply, ToolCall
from chatrecord.runs.feed import Feed
from chatrecord.text.arguments import check_text

from . import feedback
from .asking_chat import Prompt
from .branches import Branch
from .branches import branches as find_branches
from .branches import fork as fork_chat
from .branches import restore as restore_branch
from .changes import UNCHANGED, Unchanged
from .loaded_chat import Metadata, Row
from .stream import ChatStream
from .submitting_chat import SubmittingChat
from .titles import checked_title

Typed = TypeVar("Typed")

__all__ = ["Chat", "Metadata", "Prompt", "Row"]


class Chat(SubmittingChat[Row, Metadata]):
    """A chat. Each message, tool call and provider request is a row in your database.

    `create_chat` and `load_chat` return one. A chat has one active run: with the default `on_busy`,
    a second `ask` raises `ChatBusy`. `Chat[HrChat]` is a chat whose `row` is an `HrChat`.
    """

    @overload
    async def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
        idempotency_key: str | None = None,
    ) -> Reply[Typed]: ...

    @overload
    async def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
        idempotency_key: str | None = None,
    ) -> Reply[str]: ...

    async def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
        idempotency_key: str | None = None,
    ) -> Reply[Any]:
        """Send a message and return the final answer, after all tool calls.

            reply = await chat.ask("What is our Q3 travel policy?")
            reply = await chat.ask("What does it say?", attachments=[Path("policy.pdf")])

        `attachments` are files (`Attachment`, `Path` or `https://` URL), sent with this and every
        later question. With `output_type`, `reply.output` has that type. Raises `ChatBusy` if
        another run is active, and a `RunError` if the run ends without a final answer. The partial
        answer is stored either way.
        """
        content = await self._content(prompt, attachments)
        run = await self._answering(self._question_spec(content, output_type, idempotency_key))
        try:
            return await self._finished(await run.reply())
        finally:
            if self._policies.on_disconnect == "stop":
                await self._left(run)

    @overload
    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
        idempotency_key: str | None = None,
    ) -> ChatStream[Typed]: ...

    @overload
    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
        idempotency_key: str | None = None,
    ) -> ChatStream[str]: ...

    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
        idempotency_key: str | None = None,
    ) -> ChatStream[Any]:
        """Send a message and stream its answer.

            async for chunk in chat.stream("And for contractors?"):
                print(chunk.text, end="")

        With the default `deliver="stored"`, each chunk is stored before you get it. Iteration
        raises the same errors as `ask`.
        """

        async def begin() -> Feed:
            content = await self._content(prompt, attachments)
            return await self._answering(self._question_spec(content, output_type, idempotency_key))

        return self._stream(begin)

    @overload
    def follow(
        self, run_id: UUID | None = None, *, output_type: type[Typed]
    ) -> ChatStream[Typed]: ...

    @overload
    def follow(
        self, run_id: UUID | None = None, *, output_type: None = None
    ) -> ChatStream[str]: ...

    def follow(
        self, run_id: UUID | None = None, *, output_type: type[object] | None = None
    ) -> ChatStream[Any]:
        """Read an answer from its beginning to its end, live or finished, from any process.

            async for chunk in chat.follow():
                print(chunk.text, end="")

        The default is the active run, or else the last run. A reader that leaves never stops the
        run. Raises `RunNotFound`, and the errors of `ask`.
        """

        async def typed(reply: Reply[Any]) -> Reply[Any]:
            return await self._runs.typed(reply, output_type)

        return ChatStream(lambda: self._runs.find(run_id), "continue", finish=typed)

    async def stop(self, run_id: UUID | None = None) -> bool:
        """Stop the active run, or the run `run_id`, in whichever process it runs.

        Returns `True` if there was one, after its partial answer is stored. You may call it again.
        A run that is queued ends before it begins; its question is kept, in `Run.question_text`.
        """
        return await self._runs.stop(run_id)

    async def pending_approvals(self) -> list[ToolCall]:
        """Return the tool calls that must be approved or denied before the chat can continue."""
        return await self._runs.pending_approvals()

    async def approve(self, call_id: str) -> UUID | None:
        """Approve a tool call. It runs when the chat is resumed. Any process may call this.

        Returns the id of its run if that can go on now, `None` while other calls of it wait. A run
        that was submitted is queued again then: hand its id to your workers.
        """
        check_text("call_id", call_id)
        return await self._decided(call_id, status="pending", error=None)

    async def deny(self, call_id: str, *, reason: str | None = None) -> UUID | None:
        """Deny a tool call. The model gets `reason`. Any process may call this.

        Returns what `approve` returns.
        """
        check_text("call_id", call_id)
        check_text("reason", reason)
        return await self._decided(call_id, status="denied", error=reason)

    @overload
    def regenerate(
        self, message_id: UUID | None = None, *, output_type: type[Typed]
    ) -> ChatStream[Typed]: ...

    @overload
    def regenerate(
        self, message_id: UUID | None = None, *, output_type: None = None
    ) -> ChatStream[str]: ...

    def regenerate(
        self, message_id: UUID | None = None, *, output_type: type[object] | None = None
    ) -> ChatStream[Any]:
        """Generate a new answer to the last question, or to the question `message_id`.

            reply = await chat.regenerate()

        It replaces all later messages. The old messages stay valid until the new answer is stored.
        Then they get the status `superseded`: readable and counted, but not sent. If the new answer
        fails, the old ones stay valid. Raises `MessageNotFound` if `message_id` is not a current
        question of this chat, and `NothingToResume` if the chat has no question.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            question = await self._question_to_answer(message_id)
            run_spec = await self._spec_in_place(None, output_type, question.seq + 1)
            return await self._answering(run_spec)

        return self._stream(begin)

    @overload
    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
    ) -> ChatStream[Typed]: ...

    @overload
    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
    ) -> ChatStream[str]: ...

    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
    ) -> ChatStream[Any]:
        """Replace a question and answer the new one.

        All later messages are replaced, as in `regenerate`. The new question has only the
        `attachments` given here. Raises `MessageNotFound` if `message_id` is not a current question
        of this chat.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            question = await self._current_question(message_id)
            content = await self._content(prompt, attachments)
            run_spec = await self._spec_in_place(content, output_type, question.seq)
            return await self._answering(run_spec)

        return self._stream(begin)

    @overload
    def resume(self, *, output_type: type[Typed]) -> ChatStream[Typed]: ...

    @overload
    def resume(self, *, output_type: None = None) -> ChatStream[str]: ...

    def resume(self, *, output_type: type[object] | None = None) -> ChatStream[Any]:
        """Continue the last run, if it waits for approval, failed or was interrupted.

            reply = await chat.resume()
            async for chunk in chat.resume(): ...

        Tool calls that have a result do not run again. The model is told which calls were
        interrupted. A partial answer is replaced and kept as `superseded`. Raises `ApprovalPending`
        while a call is undecided, `NothingToResume` if the last run cannot be resumed,
        `RunNotFound` if the chat has no run, and `ChatNotFound`.
        """

        async def begin() -> Feed:
            await self._current_record()
            await self._runs.repair()
            run_spec = self._run_spec(None, output_type, None)
            run_spec = replace(run_spec, resumes=await self._runs.to_resume())
            return await self._answering(run_spec)

        return self._stream(begin)

    async def give_feedback(
        self,
        message_id: UUID | str,
        value: float,
        *,
        comment: str | None = None,
        owner: str = "",
    ) -> Feedback:
        """Store what somebody thinks of a message, usually of an answer.

            await chat.give_feedback(reply.message_id, 1, comment="Just what I needed.")

        `value` is 1 or -1, or a number of a scale of your own around zero. `message_id` may also be
        `reply.run_id`. `owner` is who says it, if several people share a chat: each has one
        feedback for a message, and a later one replaces it. Raises `MessageNotFound`,
        `ChatNotFound`, `TypeError`, `ValueError`, and `ConfigurationError` if there is no table for
        it.
        """
        await self._current_record()
        return await feedback.give_feedback(
            self._backend, self.id, message_id, value=value, comment=comment, owner=owner
        )

    async def withdraw_feedback(self, message_id: UUID | str, *, owner: str = "") -> bool:
        """Delete what `owner` has said of a message. Returns whether there was something.

        Raises `ChatNotFound`.
        """
        await self._current_record()
        return await feedback.withdraw_feedback(self._backend, self.id, message_id, owner)

    async def feedback(self) -> list[Feedback]:
        """Return all feedback of the chat, oldest first."""
        return await self._backend.store.feedback_of_chat(self.id)

    async def branches(self, message_id: UUID | str) -> list[Branch]:
        """Return all versions of a question, or of the answer to one, oldest first.

            for branch in await chat.branches(reply.message_id):
                print(branch.is_current, branch.message.text)

        `message_id` is that of any version, or `reply.run_id`. What `regenerate` and `edit` have
        replaced is among them; an answer that failed while it was to replace another one is not.
        Raises `MessageNotFound`.
        """
        return await find_branches(self._backend, self.id, message_id)

    async def restore(self, message_id: UUID | str) -> None:
        """Go back to an earlier version of a question or answer, with all that followed it then.

        The messages that are current now get the status `superseded`: `restore` brings them back,
        too. Raises `MessageNotFound`, and `ChatBusy` if a run is active.
        """
        await self._runs.repair()
        await restore_branch(self._backend, self.id, message_id)

    async def fork(
        self,
        at: UUID | str | None = None,
        *,
        title: str | Unchanged | None = UNCHANGED,
        **columns: object,
    ) -> Chat[Row, Metadata]:
        """Copy the chat, up to and including the message `at`. Returns the copy.

            copy = await chat.fork(at=message.id)
            reply = await copy.ask("And if I travel by train?")

        `at` may be a message that was replaced: then the copy has what stood before it at that
        time. An answer that called tools is copied with their results. Everything of the chat but
        its requests is copied: what the original has cost is not counted twice. `title` and columns
        of your own replace those of the original. `copy.record.forked_from` is this chat's id, and
        `forked_at` the id of the last message that was copied. Raises `MessageNotFound`, `ChatBusy`
        or `ApprovalPending` if the answer `at` is not complete, and `ChatNotFound`.
        """
        await self._runs.repair()
        chat = await self._current_record()
        for name, value in columns.items():
            self._backend.store.check_column(name, value)
        changes: dict[str, object] = {"columns": {**chat.columns, **columns}}
        if title is not UNCHANGED:
            changes["title"] = checked_title(title)
        copy = await fork_chat(self._backend, chat, at, changes)
        scope = {name: copy.columns[name] for name in self._scope}
        return Chat(self._backend, self._opened, copy, scope)
