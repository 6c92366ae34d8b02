"""A chat as it was loaded: its row, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Generic, Self, cast
from uuid import UUID

from typing_extensions import TypeVar

from chatrecord.attachments.attachment import Attachment
from chatrecord.errors import AttachmentNotFound, ChatNotFound
from chatrecord.records import (
    ApiRequest,
    ChatRecord,
    Json,
    Message,
    Run,
    RunStatus,
    ToolCall,
    Usage,
)
from chatrecord.runs.chat_runs import ChatRuns
from chatrecord.runs.partition import Partition
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.text.arguments import check_count, check_status, check_text

from .opened import OpenedLLM

Row = TypeVar("Row", default=Any)
Metadata = TypeVar("Metadata", default=Any)


class LoadedChat(Generic[Row, Metadata]):
    """A chat as it was loaded: its row, and what it holds."""

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

    async def _current_record(self) -> ChatRecord:
        """The row of the chat as it is now. Raises `ChatNotFound` if it is deleted or hidden."""
        chat = await self._backend.store.get_chat(self.id, self._scope)
        if chat is None:
            msg = f"Chat {self.id} was deleted, or is no longer within the scope it was loaded with"
            raise ChatNotFound(msg)
        return chat

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

    def for_client(self, told: Mapping[str, Json], key: str | None = None) -> Self:
        """Return this chat for one request of a client, as the routes of `chatrecord.web` need it.

        Its runs keep `told` in `Run.settings["client"]`: the client's own ids and metadata. With
        `key`, an answer that is generated again, or an edit, has this idempotency key.
        """
        chat = copy(self)
        chat._client, chat._client_key = told, key
        return chat

    def __repr__(self) -> str:
        return f"<Chat {self.id} with {self.record.provider}:{self.record.model}>"

    async def active_run(self) -> Run | None:
        """Return the active run, or `None`."""
        return await self._runs.active()

    async def runs(
        self, *, status: RunStatus | None = None, limit: int = 20, before: UUID | None = None
    ) -> list[Run]:
        """Return the last `limit` runs, newest first: all, or those with this status.

            waiting = await chat.runs(status="queued")
            print([run.question_text for run in waiting])

        `before` is the id of a run: only earlier ones are returned.
        """
        check_count("limit", limit)
        check_status(status)
        return await self._backend.store.list_runs(
            status=status, scope={}, limit=limit, before=before, chat_id=self.id
        )

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
