"""The chat: what an application holds in its hand."""

# More than 400 lines: half of them are overloads.

from __future__ import annotations

import logging
from collections.abc import (
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeAlias, overload
from uuid import UUID

from typing_extensions import TypeVar

from chatrecord.attachments.attachment import Attachable, Attachment, read_attachments
from chatrecord.errors import (
    ApprovalPending,
    AttachmentNotFound,
    ChatNotFound,
    ChatRecordError,
    MessageNotFound,
    NothingToResume,
)
from chatrecord.llm.port import LLM
from chatrecord.records import (
    ApiRequest,
    ChatRecord,
    Message,
    Reply,
    Run,
    ToolCall,
    Usage,
)
from chatrecord.runs.chat_runs import ChatRuns
from chatrecord.runs.feed import Feed
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.policies import Policies
from chatrecord.runs.process import Backend
from chatrecord.runs.run_spec import RunSpec
from chatrecord.store.rows import Replacement
from chatrecord.text.arguments import (
    check_count,
    check_key,
    check_output_type,
    check_prompt,
    check_text,
)

from .stream import ChatStream
from .title_generation import title_for
from .titles import checked_title

log = logging.getLogger("chatrecord")

Prompt: TypeAlias = str | Sequence[object]
"""What is asked: text, or the LLM library's own sequence of texts, images and files."""

Typed = TypeVar("Typed")


class Chat:
    """A conversation whose every message, tool call and request is in the database.

    Made by `create_chat` and `load_chat`. One chat answers one message at a time: a second `ask`
    while the first is running raises `ChatBusy`.
    """

    def __init__(
        self,
        backend: Backend,
        llm: LLM,
        record: ChatRecord,
        policies: Policies,
        runs_on: str | None,
    ) -> None:
        self._backend = backend
        self._llm = llm
        self._policies = policies
        self._instructions = runs_on
        self._runs = ChatRuns(backend, record.id, llm)
        self._is_titling = False
        self.record = record

    @property
    def id(self) -> UUID:
        """The chat's id."""
        return self.record.id

    @property
    def title(self) -> str | None:
        """The chat's title, as it was when the chat was loaded, or renamed here since."""
        return self.record.title

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The chat's metadata, as it was when the chat was loaded."""
        return self.record.metadata

    async def rename(self, title: str | None) -> None:
        """Give the chat this title, or none.

            await chat.rename("Travel policy")

        Its place in `list_chats` stays: that is by its last activity. Raises `ValueError` for a
        title that is blank or too long (255 characters), and `ChatNotFound`.
        """
        title = checked_title(title)
        if not await self._backend.store.set_title(self.id, title):
            msg = f"There is no chat {self.id} any more"
            raise ChatNotFound(msg)
        self.record = replace(self.record, title=title)

    async def generate_title(
        self, llm: object | None = None, *, instructions: str | None = None
    ) -> str:
        """Have an LLM write the chat's title, from its first questions and answers.

            title = await chat.generate_title(llm="openai:gpt-5-nano")

        Without `llm` (a model string, a pydantic-ai model, or an agent for its model) the chat's
        own is asked. `instructions` replace those that say what a title is. The request is in the
        ledger, without a run. Works while a run is active. Raises a `RunError` where no title came.
        """
        check_text("instructions", instructions)
        asked = self._llm if llm is None else self._llm.for_side_requests(llm)
        store, policies = self._backend.store, self._policies
        title = await title_for(store, self.id, asked, policies, instructions)
        await self.rename(title)
        return title

    async def _title_after(self, run: LiveRun, llm: LLM) -> None:
        """Once a run has ended well: what it has answered does not wait for this."""
        if not await run.is_answered() or self.title is not None or self._is_titling:
            return
        store, self._is_titling = self._backend.store, True
        try:
            title = await title_for(store, self.id, llm, self._policies)
            if await store.set_title(self.id, title, over="none"):
                self.record = replace(self.record, title=title)
        except ChatRecordError as error:
            log.warning("Chat %s gets no title: %s", self.id, type(error).__name__)
        finally:
            self._is_titling = False

    def __repr__(self) -> str:
        return f"<Chat {self.id} with {self.record.provider}:{self.record.model}>"

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
        """Send a message and wait for the final answer, tools and all.

            reply = await chat.ask("What is our Q3 travel policy?")
            reply = await chat.ask("What does it say?", attachments=[Path("policy.pdf")])

        With `output_type` the answer is parsed into that type, as `reply.output`. Raises `ChatBusy`
        while another run is active, and a `RunError` where no final answer came; what did come is
        stored either way. `attachments` are files to send along, now and with every later message:
        an `Attachment`, a `Path`, or an address; see `Attachment` for what is wrong with one.
        """
        content = await self._content(prompt, attachments)
        run = self._begin(content, output_type, idempotency_key)
        try:
            return await run.reply()
        finally:
            if self._policies.on_disconnect == "stop":
                run.stop()

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
        """Send a message and read its answer as it is stored.

            async for chunk in chat.stream("And for contractors?"):
                print(chunk.text, end="")

        Raises what `ask` raises, from the loop that reads it.
        """

        async def begin() -> Feed:
            content = await self._content(prompt, attachments)
            return self._begin(content, output_type, idempotency_key)

        return ChatStream(begin, self._policies.on_disconnect)

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
        """Read an answer from its beginning and then live to its end, whoever gives it.

            async for chunk in chat.follow():
                print(chunk.text, end="")

        Without an id this is the active run, or else the last one. It may be live in this process
        or in another, have ended long ago, or lose its process meanwhile. Leaving never stops it.
        Raises `RunNotFound`, and what `ask` raises.
        """

        async def typed(reply: Reply[Any]) -> Reply[Any]:
            return await self._runs.typed(reply, output_type)

        return ChatStream(lambda: self._runs.find(run_id), "continue", finish=typed)

    async def stop(self) -> bool:
        """Stop the active run, in whichever process it is; whether there was one.

        Returns once what has arrived is stored. Stopping twice is stopping once.
        """
        return await self._runs.stop()

    async def pending_approvals(self) -> list[ToolCall]:
        """The tool calls that wait to be approved or denied before the chat can go on."""
        return await self._runs.pending_approvals()

    async def approve(self, call_id: str) -> None:
        """Let a tool call run, once the chat is resumed. Any process may say so."""
        check_text("call_id", call_id)
        await self._runs.decide(call_id, status="pending", error=None)

    async def deny(self, call_id: str, *, reason: str | None = None) -> None:
        """Do not let a tool call run; the model is told the reason. Any process may say so."""
        check_text("call_id", call_id)
        check_text("reason", reason)
        await self._runs.decide(call_id, status="denied", error=reason)

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
        """Answer the last question anew, or this one: then all that came after it is replaced.

            reply = await chat.regenerate()

        The old answer stands until the new one is stored; then it is kept as superseded: out of the
        window, still readable, still counted. Where no new answer comes, the old one stands.
        Raises `MessageNotFound` for an id that is no question of this chat that still stands.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            if message_id is not None:
                question = await self._standing_question(message_id)
                return await self._in_place(None, output_type, question.seq + 1)
            last = await self._backend.store.last_prompt(self.id)
            if last is None:
                msg = f"Chat {self.id} has no question to answer anew"
                raise NothingToResume(msg)
            return await self._in_place(None, output_type, last.seq + 1)

        return ChatStream(begin, self._policies.on_disconnect)

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
        """Put a question differently, and answer it: all that came after it is replaced.

        As with `regenerate`, what is replaced stands until the new answer is stored, and is kept.
        The new question has the `attachments` that are given here, and none of the old one's.
        Raises `MessageNotFound` for anything but a question of this chat that still stands.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            question = await self._standing_question(message_id)
            content = await self._content(prompt, attachments)
            return await self._in_place(content, output_type, question.seq)

        return ChatStream(begin, self._policies.on_disconnect)

    async def _standing_question(self, message_id: UUID) -> Message:
        question = None
        with suppress(ValueError):  # what is no id is the id of no question
            wanted = UUID(str(message_id))
            question = await self._backend.store.get_message(self.id, wanted)
        if question is None or question.role != "user" or question.status == "superseded":
            msg = f"There is no question {message_id} that still stands in chat {self.id}"
            raise MessageNotFound(msg)
        return question

    async def _in_place(
        self, content: Prompt | None, output_type: type[object] | None, first: int
    ) -> LiveRun:
        (last,) = await self._backend.store.messages(self.id, limit=1, before=None)
        replaces = Replacement(first=first, last=last.seq)
        return self._live(replace(self._run_spec(content, output_type, None), replaces=replaces))

    @overload
    def resume(self, *, output_type: type[Typed]) -> ChatStream[Typed]: ...

    @overload
    def resume(self, *, output_type: None = None) -> ChatStream[str]: ...

    def resume(self, *, output_type: type[object] | None = None) -> ChatStream[Any]:
        """Go on with the last run, which waits for approvals or has ended badly.

            reply = await chat.resume()
            async for chunk in chat.resume(): ...

        Tools that have run are not run again: their stored results are used. A call that was
        interrupted is reported to the model as such. A partial answer is generated again, and kept
        as superseded. Raises `ApprovalPending` while a call is undecided, and `NothingToResume`.
        """

        async def begin() -> Feed:
            waiting = await self._runs.pending_approvals()
            if waiting:
                names = ", ".join(f"{call.name} ({call.call_id})" for call in waiting)
                msg = f"These tool calls are still to be approved or denied: {names}"
                raise ApprovalPending(msg, run_id=waiting[0].run_id)
            await self._runs.repair()
            run_spec = self._run_spec(None, output_type, None)
            return self._live(replace(run_spec, resumes=await self._runs.to_resume()))

        return ChatStream(begin, self._policies.on_disconnect)

    async def active_run(self) -> Run | None:
        """The run that is giving an answer just now."""
        return await self._runs.active()

    async def messages(self, limit: int = 20, *, before: int | None = None) -> list[Message]:
        """The last messages, oldest first; to page back, those below the `seq` of `before`."""
        check_count("limit", limit)
        if before is not None:
            check_count("before", before, least=0)
        return await self._backend.store.messages(self.id, limit=limit, before=before)

    async def summaries(self) -> list[Message]:
        """The summaries that stood or stand in the place of older messages, oldest first.

        Each has the role `summary`, and covers the messages up to the number in its `content`.
        They are not among `messages`. See `Compact`.
        """
        return await self._backend.store.summaries(self.id)

    async def attachment(self, file_hash: str) -> Attachment:
        """A file of the chat, by the hash that `Message.attachments` tells.

            (file,) = message.attachments
            found = await chat.attachment(file.hash)
            found.data, found.media_type, found.name

        Raises `AttachmentNotFound`: files of other chats are not to be had here.
        """
        check_text("file_hash", file_hash)
        found = await self._backend.store.attachment(self.id, file_hash)
        if found is None:
            msg = f"There is no file {file_hash} in chat {self.id}, or not any more"
            raise AttachmentNotFound(msg)
        return found

    async def tool_calls(self) -> list[ToolCall]:
        """Every tool call of the chat, oldest first."""
        return await self._backend.store.tool_calls(self.id)

    async def requests(self) -> list[ApiRequest]:
        """Every attempt at a provider, oldest first."""
        return await self._backend.store.requests(self.id)

    async def usage(self) -> Usage:
        """Tokens, cost and number of requests, over all attempts."""
        return await self._backend.store.usage(self.id)

    async def _content(self, prompt: Prompt, attachments: Sequence[Attachable]) -> Prompt:
        """What is asked, files and all."""
        check_prompt(prompt, has_files=bool(attachments))
        limit = self._policies.limits.attachment_bytes
        files = await read_attachments(attachments, limit)
        return self._llm.attached(prompt, files) if files else prompt

    def _begin(
        self, content: Prompt, output_type: type[object] | None, idempotency_key: str | None
    ) -> LiveRun:
        check_key(idempotency_key)
        return self._live(self._run_spec(content, output_type, idempotency_key))

    def _run_spec(
        self, content: Prompt | None, output_type: type[object] | None, idempotency_key: str | None
    ) -> RunSpec:
        check_output_type(output_type)
        return RunSpec(
            chat_id=self.id,
            content=content,
            instructions=self._instructions,
            policies=self._policies,
            output_type=output_type,
            idempotency_key=idempotency_key,
        )

    def _live(self, run_spec: RunSpec) -> LiveRun:
        journal = self._backend.runtime.journal
        run = LiveRun(self._backend.store, journal, self._llm, run_spec, self._runs)
        if self._policies.titles is not None and self.title is None:
            self._backend.runtime.follow_up(self._title_after(run, self._policies.titles))
        return run
