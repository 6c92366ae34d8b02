"""What readers outside are told of a run, with the transaction that ends or parks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatrecord.errors import RunError, RunInterrupted, RunStopped, WorkersDied, error_from_text
from chatrecord.events import EventType, NewEvent
from chatrecord.records import Message, Run, ToolCall

_OF_STATUS: dict[str, EventType] = {
    "complete": "run.complete",
    "failed": "run.failed",
    "interrupted": "run.interrupted",
}
_OF_ERROR: dict[type[RunError], EventType] = {
    RunStopped: "run.stopped",
    WorkersDied: "run.failed",
}
_EPOCH_BITS = 20


def ended(
    run: Run, messages: Sequence[Message], answer: Message, error: BaseException | None = None
) -> NewEvent:
    """A run has ended, with this answer."""
    is_stopped = isinstance(error, RunStopped)
    data: dict[str, Any] = {"message_id": str(answer.id)}
    if error is not None:
        data["error_type"] = type(error).__name__
    kind = "run.stopped" if is_stopped else _OF_STATUS[run.status]
    return NewEvent(kind, run.chat_id, run.id, _order(run, messages), data)


def parked(
    run: Run, messages: Sequence[Message], answer: Message, calls: Sequence[ToolCall]
) -> NewEvent:
    """A run waits for these calls to be approved or denied."""
    named = [{"call_id": call.call_id, "name": call.name} for call in calls]
    data = {"message_id": str(answer.id), "tool_calls": named}
    return NewEvent("run.parked", run.chat_id, run.id, _order(run, messages), data)


def ended_from_outside(
    run: Run, messages: Sequence[Message], answer: Message | None, why: str, *, died: bool
) -> NewEvent:
    """A run was ended from its rows: its process had died, or nothing in it goes on."""
    answered = {} if answer is None else {"message_id": str(answer.id)}
    kind, reason = _kind_and_reason(why, died=died)
    return NewEvent(kind, run.chat_id, run.id, _order(run, messages), {**answered, **reason})


def ended_before_it_began(run: Run, why: str, *, died: bool, order: int) -> NewEvent:
    """A run was ended that has no answer, and no messages to order it by."""
    kind, reason = _kind_and_reason(why, died=died)
    return NewEvent(kind, run.chat_id, run.id, order, reason)


def _kind_and_reason(why: str, *, died: bool) -> tuple[EventType, dict[str, Any]]:
    error = error_from_text(why, otherwise=RunInterrupted)
    kind = "run.repaired" if died else _OF_ERROR.get(type(error), "run.interrupted")
    return kind, {} if type(error) is RunInterrupted else {"error_type": type(error).__name__}


def _order(run: Run, messages: Sequence[Message]) -> int:
    """A later run has later messages; who takes a run over, or resumes it, raises its epoch."""
    last = max((message.seq for message in messages), default=0)
    return (last << _EPOCH_BITS) + min(run.epoch, (1 << _EPOCH_BITS) - 1)
