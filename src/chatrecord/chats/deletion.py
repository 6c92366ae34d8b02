"""Chats deleted for a time, restored, or deleted for good with all that belongs to an owner."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chatrecord.errors import ConfigurationError, RunStopped
from chatrecord.records import ChatRecord
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Audit, Scope
from chatrecord.text.arguments import check_count

from .opening import id_of, not_found, repair
from .retention import check_audit, moment_of

_BATCH = 100
"""Chats that are read at a time."""

_STOP_POLL_SECONDS = 0.05
_STOP_PATIENCE = 5.0
"""Seconds that a run of another process has to store what it has. It loses its lease then."""


async def delete_chat(
    backend: Backend, chat_id: UUID | str, scope: Scope, audit: Audit, soft: bool | None
) -> None:
    """Delete a chat, for a time or for good. Raises `ChatNotFound`."""
    wanted = id_of(chat_id)
    check_audit(audit)
    if backend.store.retention is not None if soft is None else soft:
        if await backend.store.get_chat(wanted, scope) is not None:
            await stop_run(backend, wanted)
        is_done = await backend.store.hide_chat(wanted, scope, datetime.now(UTC))
    else:
        is_done = await backend.store.delete_chat(wanted, scope, audit)
    if not is_done:
        raise not_found(chat_id)


async def restore_chat(backend: Backend, chat_id: UUID | str, scope: Scope) -> None:
    """Restore a chat that was deleted for a time. Raises `ChatNotFound`."""
    if not await backend.store.unhide_chat(id_of(chat_id), scope):
        raise not_found(chat_id)


async def list_deleted_chats(backend: Backend, *, limit: int, scope: Scope) -> list[ChatRecord]:
    """The chats that can be restored, the first that was deleted first."""
    check_count("limit", limit)
    return await backend.store.hidden_chats(scope, before=None, limit=limit)


async def purge_deleted(
    backend: Backend, deleted_before: timedelta | datetime | None, audit: Audit, scope: Scope
) -> int:
    """End the chats that were deleted before this, or before the retention. Returns how many."""
    check_audit(audit)
    when = backend.store.retention if deleted_before is None else deleted_before
    if when is None:
        msg = (
            "purge() takes older_than= or deleted_before=: this Database keeps deleted chats for "
            "no time in particular, see Database(retention=...)"
        )
        raise ConfigurationError(msg)
    before, erased = moment_of(when, "deleted_before"), 0
    while found := await backend.store.hidden_chats(scope, before=before, limit=_BATCH):
        gone = [await backend.store.delete_chat(chat.id, scope, audit) for chat in found]
        erased += sum(gone)
        if not any(gone):  # another process is faster, or what is found cannot be deleted
            break
    return erased


async def erase_owner(backend: Backend, scope: Scope, audit: Audit) -> int:
    """Delete every chat within the scope for good, whatever happens in it. Returns how many.

    Also those that are created meanwhile, and those that were deleted for a time.
    """
    check_audit(audit)
    erased = 0
    while found := await backend.store.every_chat(scope, after=None, limit=_BATCH):
        for chat in found:
            await stop_run(backend, chat.id)
            erased += await backend.store.delete_chat(chat.id, scope, audit)
    return erased


async def stop_run(backend: Backend, chat_id: UUID) -> None:
    """Stop the active run of a chat, in whichever process it is, and wait until it is stored.

    One that does not hear of it in time goes on until it writes, and finds its chat gone.
    """
    await repair(backend, chats=[chat_id])
    until = asyncio.get_running_loop().time() + _STOP_PATIENCE
    asked: set[UUID] = set()
    while (run := await backend.store.active_run(chat_id)) is not None and run.status == "running":
        live = backend.runtime.journal.live(run.id)
        if live is not None:
            live.stop(RunStopped("The run was stopped"))
            await live.ended()
        if run.id not in asked:
            await backend.store.request_stop(run.id)
            asked.add(run.id)
        if asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(_STOP_POLL_SECONDS)
