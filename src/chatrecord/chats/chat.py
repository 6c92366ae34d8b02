"""The class `Chat`."""

# More than 400 lines: half of them are overloads.

from __future__ import annotations

import logging
from collections.abc import (
    Mapping,
    Sequence,
)
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any, Generic, TypeAlias, cast, overload
from uuid import UUID

from typing_extensions import TypeVar

from chatrecord.attachments.attachment import Attachable, Attachment, read_attachments
from chatrecord.errors import (
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
    Json,
    Message,
    Reply,
    Run,
    ToolCall,
    Usage,
)
from chatrecord.runs.chat_runs import ChatRuns
from chatrecord.runs.feed import Feed
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.partition import Partition
from chatrecord.runs.process import Backend
from chatrecord.runs.run_spec import RunSpec
from chatrecord.store.chat_store import Scope
from chatrecord.store.rows import Replacement
from chatrecord.text.arguments import (
    check_count,
    check_key,
    check_output_type,
    check_prompt,
    check_text,
)

from .branches import Branch
from .branches import branches as find_branches
from .branches import fork as fork_chat
from .branches import restore as restore_branch
from .changes import UNCHANGED, Unchanged, changes_of, checked_changes
from .opened import OpenedLLM, is_agent
from .stream import ChatStream
from .title_generation import title_for
from .titles import checked_title

log = logging.getLogger("chatrecord")

Prompt: TypeAlias = str | Sequence[object]
"""What is asked: text, or the LLM library's own sequence of texts, images and files."""

Typed = TypeVar("Typed")
Row = TypeVar("Row", default=Any)
Metadata = TypeVar("Metadata", default=Any)


class Chat(Generic[Row, Metadata]):
    """A chat. Each message, tool call and provider request is a row in your database.

    `create_chat` and `load_chat` return one. A chat has one active run: with the default `on_busy`,
    a second `ask` raises `ChatBusy`. `Chat[HrChat]` is a chat whose `row` is an `HrChat`.
    """

    def __init__(
        self,
        backend: Backend,
        opened: OpenedLLM,
        record: ChatRecord,
        scope: Scope,
    ) -> None:
        self._backend = backend
        self._scope = scope
        self._row: tuple[ChatRecord, Row] | None = None
        self._is_titling = False
        self._client: Mapping[str, Json] = {}
        self._client_key: str | None = None
        self.record = record
        self._use(opened)

    def _use(self, opened: OpenedLLM) -> None:
        self._opened = opened
        self._llm = opened.llm
        self._policies = opened.policies
        self._runs = ChatRuns(self._backend, self.id, opened.llm, self._partition)

    def _partition(self) -> Partition | None:
        return self._backend.runtime.partitioning.of_chat(self.record.columns)

    @property
    def id(self) -> UUID:
        """The chat's id."""
        return self.record.id

    @property
    def row(self) -> Row:
        """The chat as an instance of your mapped class, as it was when it was loaded.

            chat.row.department = "HR"
            await chat.update(chat.row)

        It belongs to no session, so no relationship is loaded. A change in it is stored by
        `update`, or by a session that you add it to.
        """
        if self._row is None or self._row[0] is not self.record:
            self._row = (self.record, cast(Row, self._backend.store.row_of(self.record)))
        return self._row[1]

    @property
    def title(self) -> str | None:
        """The chat's title when it was loaded, or as it was changed here since."""
        return self.record.title

    @property
    def metadata(self) -> Metadata:
        """The chat's metadata when it was loaded, or as it was changed here since.

        It is read-only to its last level, as a change would not be stored: see `update`. With
        `Database(metadata_type=...)` it is of that type, and `ValueError` is raised if what is
        stored does not fit: `record.metadata` has it as it is.
        """
        kind = self._backend.runtime.metadata_type
        return cast(Metadata, kind.read(str(self.id), self.record.metadata))

    def for_client(self, told: Mapping[str, Json], key: str | None = None) -> Chat[Row, Metadata]:
        """Return this chat for one request of a client, as the routes of `chatrecord.web` need it.

        Its runs keep `told` in `Run.settings["client"]`: the client's own ids and metadata. With
        `key`, an answer that is generated again, or an edit, has this idempotency key.
        """
        chat = copy(self)
        chat._client, chat._client_key = told, key
        return chat

    async def rename(self, title: str | None) -> None:
        """Set the title. `None` removes it.

            await chat.rename("Travel policy")

        The order of `list_chats` does not change. Raises `ValueError` for a blank title or one of
        more than 255 characters, and `ChatNotFound` if the chat was deleted.
        """
        await self.update(title=title)

    async def update(
        self,
        row: Row | None = None,
        *,
        title: str | Unchanged | None = UNCHANGED,
        metadata: Metadata | Unchanged = UNCHANGED,
        instructions: str | Unchanged | None = UNCHANGED,
        llm: object = UNCHANGED,
        **columns: object,
    ) -> None:
        """Change the chat for good, in one transaction. What you leave out stays as it is.

            await chat.update(title="Travel", metadata={**chat.metadata, "team": "HR"})
            await chat.update(llm="anthropic:claude-sonnet-5-5", instructions="Be brief.")

        `row` is `chat.row`, after you have set columns in it; other keywords set columns of your
        own, too. `metadata` replaces all of it. `llm` is a model string, a Pydantic AI model or an
        agent: the next run uses it, with the options that the chat has here. Active runs, and chats
        that were loaded before, go on with what they began with. The order of `list_chats` does not
        change.

        The change is made within the scope that the chat was loaded with: if the chat has another
        owner by now, or was deleted, `ChatNotFound` is raised. Also raises `TypeError`
        (unknown column, wrong type), `ValueError` (invalid value) and `ConfigurationError`
        (unusable LLM); then nothing is changed.
        """
        changes = checked_changes(
            self._backend,
            self.record,
            row,
            title=title,
            metadata=metadata,
            instructions=instructions,
            columns=columns,
        )
        before = self._opened
        opened = self._reopened(llm, instructions)
        if llm is not UNCHANGED:
            changes |= changes_of(opened)
        if not changes:
            return
        stored = await self._backend.store.update_chat(self.id, changes, self._scope)
        if stored is None:
            msg = f"Chat {self.id} was deleted, or is no longer within the scope it was loaded with"
            raise ChatNotFound(msg)
        self.record = stored
        self._scope = {name: changes.get(name, value) for name, value in self._scope.items()}
        if opened is not before:
            # Another task may have changed the LLM, or its instructions, meanwhile.
            self._use(opened if self._opened is before else self._reopened(llm, instructions))

    def _reopened(self, llm: object, instructions: str | Unchanged | None) -> OpenedLLM:
        """The LLM as it is after a change."""
        if llm is UNCHANGED and instructions is UNCHANGED:
            return self._opened
        given = self._opened.given if llm is UNCHANGED else llm
        if instructions is not UNCHANGED:
            return self._opened.changed(given, instructions)
        return self._opened.changed(given, None if is_agent(given) else self.record.instructions)

    async def generate_title(
        self, llm: object | None = None, *, instructions: str | None = None
    ) -> str:
        """Let an LLM write a title from the first questions and answers, and store it. Returns it.

            title = await chat.generate_title(llm="openai:gpt-5-nano")

        `llm` is a model string, a Pydantic AI model or an agent (its model is used); the default is
        the chat's LLM. `instructions` replace the default instructions. The request has a row
        without a run. You can call this during a run. Raises a `RunError` if the LLM returns no
        title.
        """
        check_text("instructions", instructions)
        asked = self._llm if llm is None else self._llm.for_side_requests(llm)
        store, policies = self._backend.store, self._policies
        title = await title_for(store, self.id, asked, policies, instructions)
        await self.rename(title)
        return title

    async def _title_after(self, run: LiveRun, llm: LLM) -> None:
        """Generate a title after a complete run. The reply does not wait for it."""
        if not await run.is_answered() or self.title is not None or self._is_titling:
            return
        store, self._is_titling = self._backend.store, True
        try:
            title = await title_for(store, self.id, llm, self._policies)
            titled = {"title": title}
            stored = await store.update_chat(self.id, titled, self._scope, only_untitled=True)
            if stored is not None:
                self.record = stored
        except ChatRecordError as error:
            log.warning("Generating a title for chat %s failed: %s", self.id, type(error).__name__)
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
        """Send a message and return the final answer, after all tool calls.

            reply = await chat.ask("What is our Q3 travel policy?")
            reply = await chat.ask("What does it say?", attachments=[Path("policy.pdf")])

        `attachments` are files (`Attachment`, `Path` or `https://` URL), sent with this and every
        later question. With `output_type`, `reply.output` has that type. Raises `ChatBusy` if
        another run is active, and a `RunError` if the run ends without a final answer. The partial
        answer is stored either way.
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
        """Send a message and stream its answer.

            async for chunk in chat.stream("And for contractors?"):
                print(chunk.text, end="")

        With the default `deliver="stored"`, each chunk is stored before you get it. Iteration
        raises the same errors as `ask`.
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
        """Read an answer from its beginning to its end, live or finished, from any process.

            async for chunk in chat.follow():
                print(chunk.text, end="")

        The default is the active run, or else the last run. A reader that leaves never stops the
        run. Raises `RunNotFound`, and the errors of `ask`.
        """

        async def typed(reply: Reply[Any]) -> Reply[Any]:
            return await self._runs.typed(reply, output_type)

        return ChatStream(lambda: self._runs.find(run_id), "continue", finish=typed)

    async def stop(self) -> bool:
        """Stop the active run, in whichever process it runs.

        Returns `True` if there was one, after its partial answer is stored. You may call it again.
        """
        return await self._runs.stop()

    async def pending_approvals(self) -> list[ToolCall]:
        """Return the tool calls that must be approved or denied before the chat can continue."""
        return await self._runs.pending_approvals()

    async def approve(self, call_id: str) -> None:
        """Approve a tool call. It runs when the chat is resumed. Any process may call this."""
        check_text("call_id", call_id)
        await self._runs.decide(call_id, status="pending", error=None)

    async def deny(self, call_id: str, *, reason: str | None = None) -> None:
        """Deny a tool call. The model gets `reason`. Any process may call this."""
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
        """Generate a new answer to the last question, or to the question `message_id`.

            reply = await chat.regenerate()

        It replaces all later messages. The old messages stay valid until the new answer is stored.
        Then they get the status `superseded`: readable and counted, but not sent. If the new answer
        fails, the old ones stay valid. Raises `MessageNotFound` if `message_id` is not a current
        question of this chat, and `NothingToResume` if the chat has no question.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            if message_id is not None:
                question = await self._current_question(message_id)
                return await self._in_place(None, output_type, question.seq + 1)
            last = await self._backend.store.last_prompt(self.id)
            if last is None:
                msg = f"Chat {self.id} has no question to regenerate an answer for"
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
        """Replace a question and answer the new one.

        All later messages are replaced, as in `regenerate`. The new question has only the
        `attachments` given here. Raises `MessageNotFound` if `message_id` is not a current question
        of this chat.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            question = await self._current_question(message_id)
            content = await self._content(prompt, attachments)
            return await self._in_place(content, output_type, question.seq)

        return ChatStream(begin, self._policies.on_disconnect)

    async def _current_question(self, message_id: UUID) -> Message:
        question = None
        with suppress(ValueError):  # what is no id is the id of no question
            wanted = UUID(str(message_id))
            question = await self._backend.store.get_message(self.id, wanted)
        if question is None or question.role != "user" or question.status == "superseded":
            msg = f"Message {message_id} is not a current question of chat {self.id}"
            raise MessageNotFound(msg)
        return question

    async def _in_place(
        self, content: Prompt | None, output_type: type[object] | None, first: int
    ) -> LiveRun:
        (last,) = await self._backend.store.messages(self.id, limit=1, before=None)
        replaces = Replacement(first=first, last=last.seq)
        run_spec = self._run_spec(content, output_type, self._client_key)
        return self._live(replace(run_spec, replaces=replaces))

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
        while a call is undecided, `NothingToResume` if the last run cannot be resumed, and
        `RunNotFound` if the chat has no run.
        """

        async def begin() -> Feed:
            await self._runs.repair()
            run_spec = self._run_spec(None, output_type, None)
            return self._live(replace(run_spec, resumes=await self._runs.to_resume()))

        return ChatStream(begin, self._policies.on_disconnect)

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
        store = self._backend.store
        chat = await store.get_chat(self.id, self._scope)
        if chat is None:
            msg = f"Chat {self.id} was deleted, or is no longer within the scope it was loaded with"
            raise ChatNotFound(msg)
        for name, value in columns.items():
            store.check_column(name, value)
        changes: dict[str, object] = {"columns": {**chat.columns, **columns}}
        if title is not UNCHANGED:
            changes["title"] = checked_title(title)
        copy = await fork_chat(self._backend, chat, at, changes)
        scope = {name: copy.columns[name] for name in self._scope}
        return Chat(self._backend, self._opened, copy, scope)

    async def active_run(self) -> Run | None:
        """Return the active run, or `None`."""
        return await self._runs.active()

    async def messages(self, limit: int = 20, *, before: int | None = None) -> list[Message]:
        """Return the last `limit` messages, oldest first.

        `before` is a `seq`: only earlier messages are returned.
        """
        check_count("limit", limit)
        if before is not None:
            check_count("before", before, least=0)
        return await self._backend.store.shown.messages(self.id, limit=limit, before=before)

    async def summaries(self) -> list[Message]:
        """Return all summaries, oldest first, also those that were replaced by newer ones.

        Each has the role `summary`, and covers the messages up to the number in its `content`. They
        are not among `messages`. See `Compact`.
        """
        return await self._backend.store.shown.summaries(self.id)

    async def attachment(self, file_hash: str) -> Attachment:
        """Return a file of the chat by its hash, from `Message.attachments`.

            (file,) = message.attachments
            found = await chat.attachment(file.hash)
            found.data, found.media_type, found.name

        Raises `AttachmentNotFound` if this chat has no such file.
        """
        check_text("file_hash", file_hash)
        found = await self._backend.store.shown.attachment(self.id, file_hash)
        if found is None:
            msg = f"There is no file {file_hash} in chat {self.id}, or it was deleted"
            raise AttachmentNotFound(msg)
        return found

    async def tool_calls(self) -> list[ToolCall]:
        """Return all tool calls of the chat, oldest first."""
        return await self._backend.store.shown.tool_calls(self.id)

    async def requests(self) -> list[ApiRequest]:
        """Return all attempts at providers, oldest first."""
        return await self._backend.store.shown.requests(self.id)

    async def usage(self) -> Usage:
        """Return tokens, cost (US dollars) and number of requests.

        All attempts count, failed ones included.
        """
        return await self._backend.store.shown.usage(self.id)

    async def _content(self, prompt: Prompt, attachments: Sequence[Attachable]) -> Prompt:
        """The prompt with its files."""
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
