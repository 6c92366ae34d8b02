"""pydantic-ai's own store of conversations, kept in our tables. Needs pydantic-ai 2.68 or later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import TypeAdapter
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)
from pydantic_ai.messages import ModelResponse

from chatrecord.errors import DatabaseFailed
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Json, Message, Tokens
from chatrecord.runs.process import Backend

from .messages import body_of, finish_reason_of, message_of
from .provider import tokens_of

_KEY = "conversation"
_ENTRY = "entry"
_PAGE = 200
_MOST_PLACES = 10_000

_record: TypeAdapter[ConversationRecord] = TypeAdapter(ConversationRecord)


class PersistedConversations(ConversationStore):
    """A `ConversationStore` of Pydantic AI in your database.

        store = PersistedConversations(db, scope_column="user_id")
        conversation = await store.load("c1") or Conversation(conversation_id="c1")
        result = await agent.run("Hello", conversation=conversation)
        await store.save(result, scope="u1")

    A conversation is a row of `llm_chats` (its record is in the metadata), an entry is a row of
    `llm_messages`. With `scope_column`, the scope of a conversation is also that column of its
    chat. A fork has its own copy of the shared entries, under their ids, so that `delete` removes a
    conversation and changes no other. Nothing is recorded during a run: use `Persisted` for that.
    """

    def __init__(self, backend: Backend, *, scope_column: str | None = None) -> None:
        self._backend = backend
        if scope_column is not None:
            backend.store.check_column(scope_column, None)
        self._scope_column = scope_column
        self._places: dict[str, set[UUID]] = {}

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        chat = await self._backend.store.get_chat(_chat_id(conversation_id), {})
        record = _record_of(chat) if chat is not None else None
        if record is not None:
            tips = [record.head_id, *record.branches]
            self._remember(_chat_id(conversation_id), (tip for tip in tips if tip is not None))
        return record

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        found: list[ConversationRecord] = []
        async for chat in self._chats(scope):
            record = _record_of(chat)
            if limit is not None and len(found) >= limit:
                break
            if record is not None and (scope is None or record.scope == scope):
                found.append(record)
        return found

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        chat_id = _chat_id(record.conversation_id)
        if expected_revision is None:
            copied = await self._shared(record, new_entries)
            await self._insert(record)
            written = await self._write(record, [*copied, *new_entries], _is_new)
        else:
            await self._check_head(record, new_entries)
            written = await self._write(record, new_entries, _is_at(expected_revision))
        if not written:
            raise ConversationConflict(record.conversation_id)
        self._remember(chat_id, (entry.id for entry in new_entries))

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        chat_id = _chat_id(conversation_id)
        chat = await self._backend.store.get_chat(chat_id, {})
        given_up = None if chat is None else replace(chat, metadata={})
        is_there = _is_at(expected_revision)
        if given_up is None or not await self._backend.store.rewrite_chat(given_up, (), is_there):
            raise ConversationConflict(conversation_id)
        await self._backend.store.delete_chat(chat_id, {})

    async def read_history(
        self, head_id: str | None, *, limit: int | None = None
    ) -> list[ConversationEntry]:
        """The entries up to this one. Its conversation has to be one that this store has read."""
        if head_id is None or limit == 0:
            return []
        for chat_id in self._places.get(head_id, set()).copy():
            history = await self._history(chat_id, head_id, limit)
            if history is not None:
                return history
        raise LookupError(head_id)

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """An entry of a conversation that this store has read."""
        for chat_id in {place for places in self._places.values() for place in places}:
            async for entry in self._entries(chat_id):
                if entry.id == entry_id:
                    return (await self._loaded([entry]))[0]
        raise LookupError(entry_id)

    # Rows

    async def _chats(self, scope: str | None) -> AsyncIterator[ChatRecord]:
        """Newest first."""
        within = {} if scope is None else self._columns(scope)
        before: tuple[datetime, UUID] | None = None
        while True:
            page = await self._backend.store.list_chats(limit=_PAGE, before=before, scope=within)
            for chat in page:
                yield chat
            if len(page) < _PAGE:
                return
            before = (page[-1].updated_at, page[-1].id)

    def _columns(self, scope: str | None) -> dict[str, object]:
        if self._scope_column is None:
            return {}
        self._backend.store.check_column(self._scope_column, scope)
        return {self._scope_column: scope}

    async def _entries(self, chat_id: UUID) -> AsyncIterator[_Stored]:
        """Newest first."""
        before: int | None = None
        while True:
            page = await self._backend.store.messages(chat_id, limit=_PAGE, before=before)
            for message in reversed(page):
                stored = _stored(message)
                if stored is not None:
                    yield stored
            if len(page) < _PAGE:
                return
            before = page[0].seq

    async def _history(
        self, chat_id: UUID, head_id: str, limit: int | None
    ) -> list[ConversationEntry] | None:
        """An entry and its ancestors; each has a lower number than its child."""
        wanted: str | None = head_id
        history: list[_Stored] = []
        async for entry in self._entries(chat_id):
            if entry.id == wanted:
                history.append(entry)
                wanted = entry.parent_id
            if wanted is None or len(history) == limit:
                break
        is_whole = wanted is None or len(history) == limit
        return await self._loaded(history[::-1]) if is_whole else None

    async def _loaded(self, entries: Sequence[_Stored]) -> list[ConversationEntry]:
        rows = await self._backend.store.with_files([entry.row for entry in entries])
        return [replace(entry, row=row).loaded for entry, row in zip(entries, rows, strict=True)]

    async def _shared(
        self, record: ConversationRecord, new_entries: Sequence[ConversationEntry]
    ) -> Sequence[ConversationEntry]:
        """The entries that a new conversation, a fork, has in common with that it comes from."""
        first = new_entries[0].parent_id if new_entries else record.head_id
        if first is None:
            return ()
        if record.forked_from is not None:
            source = _chat_id(record.forked_from)
            history = await self._history(source, first, None)
            if history is not None:
                return history
        raise ConversationConflict(record.conversation_id)

    async def _check_head(
        self, record: ConversationRecord, new_entries: Sequence[ConversationEntry]
    ) -> None:
        is_new = record.head_id in {entry.id for entry in new_entries}
        if record.head_id is None or is_new:
            return
        chat_id = _chat_id(record.conversation_id)
        if await self._history(chat_id, record.head_id, 1) is None:
            raise ConversationConflict(record.conversation_id)

    async def _insert(self, record: ConversationRecord) -> None:
        """The row of a new conversation, without its record yet."""
        now = datetime.now(UTC)
        chat = ChatRecord(
            id=_chat_id(record.conversation_id),
            model=None,
            provider=None,
            agent=None,
            instructions=None,
            title=None,
            metadata={},
            created_at=now,
            updated_at=now,
            columns=self._columns(record.scope),
        )
        try:
            await self._backend.store.insert_chat(chat)
        except DatabaseFailed as error:
            found = await self._backend.store.get_chat(chat.id, {})
            if found is None:
                raise
            if _record_of(found) is not None:
                raise ConversationConflict(record.conversation_id) from error

    async def _write(
        self, record: ConversationRecord, entries: Sequence[ConversationEntry], still: Any
    ) -> bool:
        chat = await self._backend.store.get_chat(_chat_id(record.conversation_id), {})
        if chat is None:
            return False
        stored = cast(Json, _record.dump_python(record, mode="json"))
        metadata = {**chat.metadata, _KEY: stored}
        rewritten = replace(chat, metadata=metadata, updated_at=record.updated_at)
        rows = [_row_of(chat.id, entry) for entry in entries]
        return await self._backend.store.rewrite_chat(rewritten, rows, still)

    def _remember(self, chat_id: UUID, entry_ids: Iterable[str]) -> None:
        """Where to look for the history that ends with one of these."""
        if len(self._places) > _MOST_PLACES:
            self._places.clear()
        for entry_id in entry_ids:
            self._places.setdefault(entry_id, set()).add(chat_id)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An entry as its row has it."""

    id: str
    parent_id: str | None
    row: Message

    @property
    def loaded(self) -> ConversationEntry:
        message = message_of(self.row)
        assert message is not None
        return ConversationEntry(id=self.id, parent_id=self.parent_id, message=message)


def _stored(row: Message) -> _Stored | None:
    entry = row.content.get(_ENTRY) if isinstance(row.content, dict) else None
    if not isinstance(entry, dict):
        return None  # a message that a run of ours has written
    parent_id = entry["parent_id"]
    return _Stored(str(entry["id"]), None if parent_id is None else str(parent_id), row)


def _row_of(chat_id: UUID, entry: ConversationEntry) -> Message:
    body, message, now = body_of(entry.message), entry.message, datetime.now(UTC)
    answer = message if isinstance(message, ModelResponse) else None
    content = cast("dict[str, Json]", body.content)
    return Message(
        id=new_id(),
        chat_id=chat_id,
        run_id=None,
        seq=0,
        role=body.role,
        status="complete",
        text=body.text,
        reasoning=body.reasoning,
        content={**content, _ENTRY: {"id": entry.id, "parent_id": entry.parent_id}},
        format=body.format,
        model=answer.model_name if answer else None,
        provider=answer.provider_name if answer else None,
        finish_reason=finish_reason_of(answer) if answer else None,
        tokens=tokens_of(answer) if answer else Tokens(),
        created_at=now,
        finished_at=now,
    )


def _record_of(chat: ChatRecord) -> ConversationRecord | None:
    stored: object = chat.metadata.get(_KEY)
    return None if stored is None else _record.validate_python(stored)


def _revision_of(chat: ChatRecord) -> str | None:
    stored = chat.metadata.get(_KEY)
    return str(stored["revision"]) if isinstance(stored, Mapping) else None


def _is_new(chat: ChatRecord) -> bool:
    return _revision_of(chat) is None


def _is_at(revision: str) -> Any:
    return lambda chat: _revision_of(chat) == revision


def _chat_id(conversation_id: str) -> UUID:
    """Not the id that `Persisted` gives the same conversation, whose chat is another one."""
    return uuid5(NAMESPACE_URL, f"chatrecord:conversation:{conversation_id}")
