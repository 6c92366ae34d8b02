"""The tool calls of a run, from the answer that makes them to their results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from chatrecord.llm.port import Body
from chatrecord.records import Json, Run, ToolCall, ToolCallStatus
from chatrecord.spending.limits import Limits
from chatrecord.values import Call

from .fenced_writer import FencedWriter
from .live_rows import LiveRows
from .policies import Deliver
from .row_changes import ended_call, pending_call, reopened_call, whole_message
from .tool_answers import answered_by, calls_of


class RecordedCalls(LiveRows):
    """Each call is a row before its tool runs, and has an ending in the end."""

    def __init__(self, run: Run, writing: FencedWriter, deliver: Deliver, limits: Limits) -> None:
        super().__init__(run, writing, deliver)
        self._limits = limits

    def row_of(self, call: Call) -> ToolCall:
        """The row of a call, or a new one."""
        return self.calls_without_result.get(call.call_id) or pending_call(call, self.answer)

    def settle_answer(self, body: Body) -> None:
        if self.answer.content != body.content:
            self._put_message(replace(self.answer, content=body.content, format=body.format))

    async def start_tool(self, call: Call) -> None:
        self._check_goes_on()
        expected = self.calls_without_result.get(call.call_id) or self._unexpected(call)
        started = replace(
            expected, status="running", arguments=call.arguments, started_at=datetime.now(UTC)
        )
        self._put_tool_call(started)
        self._chunks.add_call(started, "tool_call")
        await self.commit()

    async def end_tool(
        self, call_id: str, *, result: Json = None, error: str | None = None
    ) -> None:
        self.close_tool(call_id, result=result, error=error)
        await self.commit()

    async def deny_tool(self, call: Call, reason: str) -> None:
        self._check_goes_on()
        expected = self.calls_without_result.get(call.call_id) or self._unexpected(call)
        denied = replace(expected, status="denied", error=reason, finished_at=datetime.now(UTC))
        self._put_tool_call(denied)
        self._chunks.add_call(denied, "tool_call", "tool_result")
        await self.commit()

    def close_tool(
        self,
        call_id: str,
        *,
        result: Json = None,
        error: str | None = None,
        is_denied: bool = False,
    ) -> None:
        open_call = self.calls_without_result.get(call_id)
        if open_call is None or open_call.status not in ("pending", "running", "awaiting_approval"):
            return
        status: ToolCallStatus = "failed" if error is not None else "complete"
        ended = ended_call(open_call, "denied" if is_denied else status, result, error)
        self._put_tool_call(ended)
        self._chunks.add_call(ended, "tool_result")

    def add_message(self, body: Body) -> None:
        self._check_goes_on()
        self._add_message(whole_message(self.run, self._next_seq(), body))
        self.calls_without_result = {}

    def repeat(
        self, names: Collection[str], answers: Callable[[Sequence[ToolCall]], Body]
    ) -> set[str]:
        """Open the interrupted calls of these tools again; their ids.

        What answered them is replaced by a message that answers the others.
        """
        calls = calls_of(self.answer, self.tool_calls.values())
        again = {
            call.call_id: call
            for call in calls
            if call.status == "interrupted" and call.name in names
        }
        after = [message for message in self.messages if message.seq > self.answer.seq]
        for message in after:
            answered = answered_by(message)
            if answered.isdisjoint(again):
                continue
            self._put_message(replace(message, status="superseded"))
            others = [call for call in calls if call.call_id in answered - again.keys()]
            if others:
                self._add_message(whole_message(self.run, self._next_seq(), answers(others)))
        for call in again.values():
            self._put_tool_call(reopened_call(call))
        if again:
            self._settled = len(self.messages)
            self._limits.check_tool_calls(len(self.tool_calls))
        return set(again)

    def park(self, call_ids: Sequence[str]) -> None:
        """These calls wait for approval."""
        for call in list(self.tool_calls.values()):
            if call.call_id in call_ids and call.status in ("pending", "running"):
                self._put_tool_call(replace(call, status="awaiting_approval", started_at=None))

    def _expect_calls(self, calls: Sequence[Call]) -> None:
        self.calls_without_result = {}
        for call in calls:
            expected = pending_call(call, self.answer)
            self.tool_calls[str(expected.id)] = expected
            self.calls_without_result[call.call_id] = expected
            self._changes.add(expected)
        self._limits.check_tool_calls(len(self.tool_calls))

    def _unexpected(self, call: Call) -> ToolCall:
        """A call that the model did not make itself, but a tool of its tools."""
        expected = pending_call(call, self.answer)
        self._changes.add(expected)
        return expected
