"""Create, load, list and delete chats: where a database and an LLM meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from uuid import UUID

from chatrecord.errors import AgentMismatch, ChatNotFound
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Run
from chatrecord.runs.chat_runs import feed_of
from chatrecord.runs.current_run import current_run
from chatrecord.runs.feed import Feed
from chatrecord.runs.process import Backend
from chatrecord.runs.repair import Repairer
from chatrecord.runs.side_requests import end_dead_side_requests
from chatrecord.store.chat_store import Audit, Scope
from chatrecord.text.arguments import (
    check_count,
    check_text,
    checked_id,
)

from .chat import Chat
from .insertion import InsertsChats, inserted
from .opened import is_agent, open_llm
from .options import RuntimeOptions, check_budgets, check_options
from .titles import checked_search, checked_title


@dataclass(frozen=True, slots=True)
class NewChat:
    """What a new chat is given to keep. `id` is a new one, unless it is given.

    `metadata` is a mapping of JSON values, or of the type that the metadata of chats has.
    """

    instructions: str | None
    title: str | None
    metadata: object
    columns: Mapping[str, object]
    id: UUID | None = None


async def create_chat(
    backend: Backend, llm: object, new: NewChat, options: RuntimeOptions, connection: object | None
) -> Chat:
    """Create a chat, on `connection` if one is given, or else in its own transaction."""
    check_options(options)
    check_budgets(backend, options)
    check_text("instructions", new.instructions)
    title, metadata = checked_title(new.title), backend.runtime.metadata_type.stored(new.metadata)
    opened = open_llm(llm, new.instructions, options, backend.runtime.prices)
    target, now = opened.llm.target, datetime.now(UTC)
    record = ChatRecord(
        id=new.id or new_id(),
        model=target.model,
        provider=target.provider,
        agent=opened.llm.agent,
        instructions=new.instructions,
        title=title,
        metadata=metadata,
        created_at=now,
        updated_at=now,
        columns=new.columns,
        parent_run_id=None if (parent := current_run()) is None else parent.run_id,
    )
    store = backend.store
    if connection is None:
        stored = await inserted(store, record, lambda: store.insert_chat(record))
    elif isinstance(connection, InsertsChats):
        stored = await connection.insert_chat(record)
    else:  # nothing is known before the commit of the application
        stored = await store.insert_chat(record, connection=connection)
    return Chat(backend, opened, stored, {})


async def load_chat(
    backend: Backend, llm: object, chat_id: UUID | str, scope: Scope, options: RuntimeOptions
) -> Chat:
    """Load the chat with this id in the scope, with this LLM."""
    check_options(options)
    check_budgets(backend, options)
    record = await backend.store.get_chat(id_of(chat_id), scope)
    if record is None:
        raise not_found(chat_id)
    await repair(backend, chats=[record.id])
    return opened_chat(backend, llm, record, scope, options)


def opened_chat(
    backend: Backend, llm: object, record: ChatRecord, scope: Scope, options: RuntimeOptions
) -> Chat:
    """The chat of this row, with this LLM. Raises `AgentMismatch` for another agent."""
    instructions = None if is_agent(llm) else record.instructions
    opened = open_llm(llm, instructions, options, backend.runtime.prices)
    agent = opened.llm.agent
    if record.agent is not None and record.agent != agent and not options.get("any_agent"):
        msg = (
            f"Chat {record.id} was created with the agent {record.agent!r}, not with {agent!r}: "
            "load it with that agent, or with any_agent=True. Then chat.update(llm=...) gives it "
            "the other one for good"
        )
        raise AgentMismatch(msg)
    return Chat(backend, opened, record, scope)


async def list_chats(
    backend: Backend,
    *,
    limit: int,
    before: ChatRecord | None,
    scope: Scope,
    search: str | None = None,
) -> list[ChatRecord]:
    """A page of chats within the scope, newest activity first."""
    check_count("limit", limit)
    key = None if before is None else (before.updated_at, before.id)
    wanted = checked_search(search)
    store = backend.store.shown
    found = await store.list_chats(limit=limit, before=key, scope=scope, search=wanted)
    await repair(backend, chats=[chat.id for chat in found])
    return found


async def delete_chat(
    backend: Backend, chat_id: UUID | str, scope: Scope, audit: Audit = "delete"
) -> None:
    """Delete a chat with everything that belongs to it."""
    if not await backend.store.delete_chat(id_of(chat_id), scope, audit):
        raise not_found(chat_id)


async def repair(backend: Backend, *, chats: Sequence[UUID] | None = None) -> int:
    """End the runs of dead processes, of these chats or of all. Returns how many."""
    ended = await _end_dead_runs(backend, chats)
    if chats is None:
        await end_dead_side_requests(backend.store)
        await backend.store.delete_orphaned_pieces()
        await backend.store.count_days(datetime.now(UTC))
    return ended


async def _end_dead_runs(backend: Backend, chats: Sequence[UUID] | None) -> int:
    if not await backend.store.expired_runs(datetime.now(UTC), chats=chats, limit=1):
        return 0
    return await _repairer(backend).repair(chats=chats)


def follow_run(backend: Backend, run: Run) -> Feed:
    """Read a run from its beginning to its end, live or finished, without an LLM at hand."""
    return feed_of(backend, run, _repairer(backend))


def _repairer(backend: Backend) -> Repairer:
    answers = import_module("chatrecord.pydantic_ai").answers
    runtime = backend.runtime
    return Repairer(backend.store, runtime.journal, answers, runtime.max_worker_deaths)


def id_of(chat_id: UUID | str) -> UUID:
    """Parse an id. Raises `ChatNotFound` for an invalid one, and `TypeError` for other types."""
    found = checked_id(chat_id)
    if found is None:
        raise not_found(chat_id)
    return found


def not_found(chat_id: object) -> ChatNotFound:
    """What to say of a chat that is not here."""
    return ChatNotFound(f"There is no chat {chat_id} here")
