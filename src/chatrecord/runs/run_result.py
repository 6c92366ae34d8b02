"""How a run has ended: its row, and its reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from chatrecord.errors import ChatRecordError, LeaseLost, RunError
from chatrecord.llm.port import Outcome
from chatrecord.records import Ending, Reply, Run
from chatrecord.text.redaction import named

from .recorder import RunRecorder


def ended_run(run: Run, status: Ending, error: str | None) -> Run:
    """The row of a run that is over."""
    return replace(run, status=status, error=error, finished_at=datetime.now(UTC), question=None)


def reply_of(recorder: RunRecorder, outcome: Outcome, latency_ms: float) -> Reply[object]:
    """What the run has answered."""
    answer = recorder.answer
    return Reply(
        text=answer.text,
        reasoning=answer.reasoning,
        output=outcome.output,
        tool_calls=tuple(recorder.tool_calls.values()),
        usage=recorder.usage,
        latency_ms=latency_ms,
        finish_reason=answer.finish_reason,
        message_id=answer.id,
        run_id=recorder.run.id,
    )


def caused(error: ChatRecordError, cause: BaseException) -> ChatRecordError:
    """This error, with its cause."""
    error.__cause__ = cause
    return error


def unstored(cause: BaseException) -> ChatRecordError:
    """What to say of an answer that is not stored."""
    if isinstance(cause, LeaseLost):
        return cause
    msg = f"The answer came but could not be stored: {named(cause)}"
    return caused(RunError(msg), cause)
