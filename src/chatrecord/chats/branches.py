"""Earlier versions of questions and answers, going back to one, and copies of a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chatrecord.errors import ApprovalPending, ChatBusy, MessageNotFound
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Message, MessageStatus
from chatrecord.runs.process import Backend
from chatrecord.runs.tool_answers import answered_by
from chatrecord.store.branch_store import Fork, MessageHead, Restoration, RunHead
from chatrecord.text.arguments import checked_id

from .insertion import inserted
from .timeline import Timeline


@dataclass(frozen=True, slots=True)
class Branch:
    """A version of a question, or of the answer to one: then `message` is its last message."""

    message: Message
    is_current: bool


async def branches(backend: Backend, chat_id: UUID, message_id: object) -> list[Branch]:
    """All versions of this question or answer, oldest first."""
    timeline = Timeline(await backend.store.outline(chat_id))
    versions = timeline.versions_of(_known(timeline, chat_id, message_id))
    found = await backend.store.messages_of_ids(chat_id, [head.id for head in versions])
    return [
        Branch(found[head.id], timeline.is_current(head)) for head in versions if head.id in found
    ]


async def restore(backend: Backend, chat_id: UUID, message_id: object) -> None:
    """Make the branch current in which this message was so for the last time."""
    outline = await backend.store.outline(chat_id)
    timeline = Timeline(outline)
    if timeline.has_active_run:  # it may have ended by the time that something is written
        raise _busy(chat_id)
    wanted = timeline.branch_of(_known(timeline, chat_id, message_id))
    statuses = await _statuses(backend, chat_id, timeline, wanted)
    if not statuses:
        return
    first = min(it.seq for it in outline.messages if it.id in statuses)
    standing = [it for it in wanted if statuses.get(it.id) != "superseded"]
    change = Restoration(statuses, first, timeline.restored(standing), outline.next_seq)
    if not await backend.store.restore(chat_id, change):
        raise _busy(chat_id)


def _busy(chat_id: UUID) -> ChatBusy:
    msg = f"Chat {chat_id} has a new message or an active run: restore the branch after it"
    return ChatBusy(msg)


async def _statuses(
    backend: Backend, chat_id: UUID, timeline: Timeline, wanted: Sequence[MessageHead]
) -> dict[UUID, MessageStatus]:
    """The status of each message that changes."""
    kept = {message.id for message in wanted}
    gone: dict[UUID, MessageStatus] = {
        it.id: "superseded" for it in timeline.current_messages if it.id not in kept
    }
    back = [message for message in wanted if not timeline.is_current(message)]
    return gone | timeline.statuses_of(await _without_replaced(backend, chat_id, back))


async def _without_replaced(
    backend: Backend, chat_id: UUID, messages: Sequence[MessageHead]
) -> list[MessageHead]:
    """These without the results of tools that their run has replaced by later ones."""
    replaced = [it.id for it in messages if (it.role, it.status) == ("tool", "superseded")]
    results = await backend.store.messages_of_ids(chat_id, replaced)
    standing: list[MessageHead] = []
    answered: set[str] = set()
    for head in reversed(messages):
        calls = _answered_in(results.get(head.id))
        if calls.isdisjoint(answered):
            standing.append(head)
        answered = answered | calls if head.role == "tool" else set()
    return standing[::-1]


def _answered_in(message: Message | None) -> set[str]:
    """The ids of the calls whose results this superseded message contains."""
    return set() if message is None else answered_by(replace(message, status="complete"))


async def fork(
    backend: Backend,
    chat: ChatRecord,
    message_id: object | None,
    changes: Mapping[str, Any],
) -> ChatRecord:
    """A new chat with the messages up to this one, which is the last by default."""
    store = backend.store
    timeline = Timeline(await store.outline(chat.id))
    copied = await _copied(backend, chat.id, timeline, message_id)
    runs = {run.id: run for it in copied if (run := timeline.run_of(it)) is not None}
    for run in runs.values():
        _check_ended(chat.id, run)
    now = datetime.now(UTC)
    copy = replace(
        chat,
        id=new_id(),
        created_at=now,
        updated_at=now,
        forked_from=chat.id,
        forked_at=copied[-1].id if copied else None,
        restored=None,
        parent_run_id=None,
        **changes,
    )
    superseded = [it for it in copied if it.status == "superseded"]
    change = Fork(
        chat=copy,
        source=chat.id,
        messages={message.id: new_id() for message in copied},
        statuses={it.id: it.status for it in copied} | timeline.statuses_of(superseded),
        runs={run_id: new_id() for run_id in runs},
    )
    return await inserted(store, copy, lambda: store.fork(change))


def _check_ended(chat_id: UUID, run: RunHead) -> None:
    if run.status in ("running", "queued"):  # one whose worker has let go of it goes on
        msg = f"The last answer of chat {chat_id} is still being written: fork an earlier message"
        raise ChatBusy(msg, run_id=run.id)
    if run.status == "parked":
        msg = f"The last answer of chat {chat_id} waits for approval: fork an earlier message"
        raise ApprovalPending(msg, run_id=run.id)


async def _copied(
    backend: Backend, chat_id: UUID, timeline: Timeline, message_id: object | None
) -> list[MessageHead]:
    """The messages of the copy: an answer that called tools comes with their results."""
    if message_id is None:
        return timeline.current_messages
    last = _known(timeline, chat_id, message_id)
    branch = timeline.branch_of(last)
    after = [it for it in branch if it.seq > last.seq]
    results = []
    for message in after if last.role == "assistant" else []:
        if message.role != "tool":
            break
        results.append(message)
    copied = [it for it in branch if it.seq <= last.seq] + results
    return await _without_replaced(backend, chat_id, copied)


def _known(timeline: Timeline, chat_id: UUID, message_id: object) -> MessageHead:
    wanted = checked_id(message_id, "message_id")
    found = None if wanted is None else timeline.message(wanted)
    if found is None:
        msg = (
            f"Message {message_id} is no question or answer of chat {chat_id}, or it never was "
            "current: it was refused, or it is part of an answer that was begun anew"
        )
        raise MessageNotFound(msg)
    return found
