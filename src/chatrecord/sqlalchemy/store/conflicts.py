"""What forbids a run to begin or to wait, and the end of those that have not begun."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import (
    ApprovalPending,
    ChatBusy,
    ChatNotFound,
    LeaseLost,
    RunInterrupted,
    RunStopped,
    SentBefore,
    error_from_text,
)
from chatrecord.records import Run
from chatrecord.runs.repair import DIED_WAITING
from chatrecord.runs.run_events import ended_before_it_began

from .chats import StoredChats
from .rows import run_of, values_of
from .runs import StoredRuns


class Conflicts(StoredChats, StoredRuns):
    """What forbids a run to begin or to wait, and the end of those that have not begun."""

    async def end_queued(self, run: Run, why: str) -> bool:
        async def end() -> bool:
            async with self.transaction() as connection:
                return await self._end_queued(connection, run, why)

        return await self._retried(end)

    async def _end_queued(self, connection: AsyncConnection, run: Run, why: str) -> bool:
        as_it_was = {
            "row_id": run.id,
            "of_status": run.status,
            "of_epoch": run.epoch,
            "of_lease": run.lease_until,
            "new_error": why,
            "new_finished_at": datetime.now(UTC),
        }
        if (await connection.execute(self._sql.end_queued, as_it_was)).rowcount == 0:
            return False
        if self._sql.event is not None:
            of_chat = {"of_chat": run.chat_id}
            last = (await connection.execute(self._sql.last_order_of_chat, of_chat)).scalar()
            died, order = why == DIED_WAITING, (last or 0) + 1
            event = ended_before_it_began(run, why, died=died, order=order)
            await connection.execute(self._sql.add_event, values_of(event))
        return True

    async def _conflict_of(self, run: Run) -> Exception | None:
        """What forbids this run to begin or to be queued, if it still does."""
        return await self._own_conflict(run) or await self._conflict_with_others(run)

    async def _own_conflict(self, run: Run) -> Exception | None:
        """What has come of this run itself meanwhile."""
        own = await self.get_run(run.chat_id, run.id)
        is_ours = own is not None and own.owner == run.owner
        if own is not None and _was_queued(own) and is_ours:
            return error_from_text(own.error or DIED_WAITING, otherwise=RunInterrupted)
        if own is not None and not (_is_queued(own) or is_ours):
            msg = (
                f"Run {run.id} was started, but the confirmation was lost: it was ended by another "
                "process meanwhile"
            )
            return LeaseLost(msg)
        return None

    async def _conflict_with_others(self, run: Run) -> Exception | None:
        if run.idempotency_key is not None:
            key = {"chat_id": run.chat_id, "key": run.idempotency_key}
            sent = await self._read(self._sql.run_of_key, **key)
            if sent and await self._is_current(first := run_of(sent[0])) and first.id != run.id:
                msg = f"This was sent before, as run {first.id}: read its answer there"
                return SentBefore(msg, run_id=first.id)
        active = await self._read(self._sql.active, chat_id=run.chat_id)
        if active and active[0]["status"] == "parked":
            msg = (
                f"Chat {run.chat_id} waits for tool calls to be approved or denied: see "
                "chat.pending_approvals(), then chat.resume()"
            )
            return ApprovalPending(msg, run_id=active[0]["id"])
        if active:
            msg = f"Chat {run.chat_id} is busy: wait for run {active[0]['id']}"
            return ChatBusy(msg, run_id=active[0]["id"])
        if await self.get_chat(run.chat_id, {}) is None:
            return deleted(run.chat_id)
        return None

    async def _is_current(self, run: Run) -> bool:
        """Whether this run counts: one that died while it waited never began.

        Its question is asked again now.
        """
        is_dead = await self._is_dead(run)
        if is_dead:
            await self.end_queued(run, DIED_WAITING)
        if is_dead or (_was_queued(run) and not _was_stopped(run)):
            await self._retried(
                lambda: self._changed(self._sql.forget_question, {"row_id": run.id})
            )
            return False
        return True

    async def _is_dead(self, run: Run) -> bool:
        if run.status != "waiting":
            return False
        state = (await self.run_states([run.id])).get(run.id)
        return state is not None and state.has_expired


def deleted(chat_id: UUID) -> ChatNotFound:
    """What to say of a chat that is not there for a run to begin in."""
    msg = (
        f"Chat {chat_id} was deleted, its transaction was rolled back, or a row-level policy hides "
        "it here"
    )
    return ChatNotFound(msg)


def _is_queued(run: Run) -> bool:
    return run.status in ("waiting", "queued") or _was_queued(run)


def _was_queued(run: Run) -> bool:
    """Whether this run has ended before it began."""
    return run.status == "interrupted" and run.question is not None


def _was_stopped(run: Run) -> bool:
    error = error_from_text(run.error or "", otherwise=RunInterrupted)
    return isinstance(error, RunStopped)
