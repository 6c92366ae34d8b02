"""Turns what an LLM adapter reports into rows: the requests, messages and tool calls of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from chatrecord.errors import RunInterrupted
from chatrecord.events import NewEvent
from chatrecord.llm.port import Body, Failure
from chatrecord.records import Ending, Json, Message, Run, ToolCall
from chatrecord.store.rows import RunRows, RunStart
from chatrecord.text.redaction import text_of

from . import run_events
from .recorded_requests import RecordedRequests
from .reduction import Reduction
from .row_changes import ended_call, whole_message
from .tool_answers import answered_by, calls_without_result
from .worker_deaths import without_deaths


class RunRecorder(RecordedRequests):
    """Implements `chatrecord.llm.port.Recorder` for one run, from its beginning to its end."""

    question: Message | None = None
    """What it was begun with."""

    def begin(self, start: RunStart, seq: int) -> None:
        """A new run, whose first rows are there: its prompt, an empty answer, a request."""
        opening = enumerate(start.opening, start=seq)
        self.messages = [replace(message, seq=number) for number, message in opening]
        is_prompt_sent = start.begins is not None and start.prompt is not None
        self._settled = int(is_prompt_sent)  # as the end of the history
        self.question = None if start.begins is not None else start.prompt
        self._request = start.request
        self._sent = False

    def go_on(self, rows: RunRows) -> None:
        """A run that was begun before: its rows as they are."""
        self.messages = list(rows.messages)
        self.requests = {request.id: request for request in rows.requests}
        self.tool_calls = {str(call.id): call for call in rows.tool_calls}
        calls = calls_without_result(self.answer, self.messages, rows.tool_calls)
        self.calls_without_result = {call.call_id: call for call in calls}
        is_empty = self.answer.status != "complete" and not self.answer.text
        self._settled = len(self.messages) - is_empty

    def describe(self, *, instructions: str | None, settings: Json) -> None:
        kept = self.run.settings if isinstance(self.run.settings, dict) else {}
        added = settings if isinstance(settings, dict) else {}
        self.run = replace(self.run, instructions=instructions, settings={**kept, **added})
        self._changes.put(self.run)

    # The last transaction

    def settle(self, bodies: Sequence[Body]) -> None:
        """Give the run's messages their final form, and add those that were not reported."""
        if self._paused is not None:
            self._end_paused("complete")  # a run that ends with a job of the provider under way
        recent = self.messages[self._settled :]
        standing = [message for message in recent if message.status != "superseded"]
        for message, body in zip(standing, bodies, strict=False):
            if message.content != body.content:
                self._put_message(replace(message, content=body.content, format=body.format))
        for body in bodies[len(standing) :]:
            message = whole_message(self.run, self._next_seq(), body)
            self._add_message(message)
            for call_id in answered_by(message):
                self.calls_without_result.pop(call_id, None)

    def give_up(self, error: BaseException, answers: Callable[[Sequence[ToolCall]], Body]) -> None:
        """Leave nothing open: the answer, its request, and every tool call get an ending."""
        status: Ending = "interrupted" if isinstance(error, RunInterrupted) else "failed"
        if self._request is not None and self._sent:
            self.close_request(None, Failure(RunInterrupted(text_of(error)), type(error).__name__))
        if self._paused is not None:
            self._end_paused(status)
        elif self.answer.status == "streaming":
            self._put_message(replace(self.answer, status=status, finished_at=datetime.now(UTC)))
        for call in self.calls_without_result.values():
            if call.status in ("pending", "running", "awaiting_approval"):
                self._put_tool_call(ended_call(call, "interrupted", None, None))
        if self.calls_without_result:
            calls = [self.tool_calls[str(call.id)] for call in self.calls_without_result.values()]
            self.add_message(answers(calls))
        self._given_up = True

    def replace_from(self, first: int) -> None:
        """The run completed: the messages that it replaces are superseded."""
        self._changes.superseded = (first, self.messages[0].seq)

    def withdraw(self) -> None:
        """The run did not complete: the messages that it was to replace stay valid."""
        for message in self.messages:
            self._put_message(replace(message, status="superseded"))

    def end(self, run: Run, error: BaseException | None = None) -> None:
        """The run is over, parked, or left to another worker."""
        self.run = run = without_deaths(run)
        for call in list(self.tool_calls.values()):
            is_open = call.status in ("pending", "running", "awaiting_approval")
            if is_open and (run.status != "parked" or call.status != "awaiting_approval"):
                self._put_tool_call(ended_call(call, "interrupted", None, None))
        self._changes.put(run)
        self._changes.event = self._event(error)
        if not self._sent and self._request is not None:
            self._changes.never_sent.add(self._request.id)

    def _event(self, error: BaseException | None) -> NewEvent | None:
        if self.run.status == "queued":  # it has not ended: another worker goes on
            return None
        if self.run.status != "parked":
            return run_events.ended(self.run, self.messages, self.answer, error)
        calls = self.tool_calls.values()
        waiting = [call for call in calls if call.status == "awaiting_approval"]
        return run_events.parked(self.run, self.messages, self.answer, waiting)

    def reduce(self, reduction: Reduction) -> bool:
        """Drop one value that the database may refuse. Returns whether there was one.

        The run still gets an end, and its text.
        """
        less = reduction.next(self._changes, self._last_called())
        if isinstance(less, Message):
            self._put_message(less)
        elif isinstance(less, ToolCall):
            self._put_tool_call(less)
        elif isinstance(less, Run):
            self.run = less
            self._changes.put(less)
        return less is not None

    def _last_called(self) -> list[ToolCall]:
        """The calls of the last answer that made any."""
        calls = list(self.tool_calls.values())
        return [call for call in calls if call.message_id == calls[-1].message_id]
