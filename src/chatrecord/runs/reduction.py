"""What is given up of a run's rows where the database will not take a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from uuid import UUID

from chatrecord.llm.port import Body
from chatrecord.records import ApiRequest, Message, Run, ToolCall
from chatrecord.store.changes import Changes, RunRecord

_UNSTORABLE = "The result could not be stored"
_SHORT, _HUGE = 1_000, 250_000
"""Characters of a text that every database takes, and of one that some server refuses."""


@dataclass(slots=True)
class Reduction:
    """Takes one value after the other out of the rows of a transaction that was refused.

    The largest goes first, as what is refused is mostly too large or too deep, and text goes last.
    """

    answers: Callable[[Sequence[ToolCall]], Body]
    _taken: Counter[UUID] = field(default_factory=Counter)

    def next(self, changes: Changes, calls: Sequence[ToolCall]) -> RunRecord | None:
        """One row of these changes with less in it; `None` where there is no more to give up.

        `calls` are those that a message of the changes may answer.
        """
        rows = sorted([*changes.new.values(), *changes.changed.values()], key=_size, reverse=True)
        ways = (
            less
            for row in rows
            for less in (self._without_value(row, calls), _shortened(row, if_over=_HUGE))
        )
        last_ways = (_shortened(row, if_over=_SHORT) for row in rows)
        less = next((less for less in chain(ways, last_ways) if less is not None), None)
        if less is not None:
            self._taken[less.id] += 1
        return less

    def _without_value(  # noqa: PLR0911 - a table of seven rows
        self, row: RunRecord, calls: Sequence[ToolCall]
    ) -> RunRecord | None:
        if isinstance(row, Message) and row.role == "tool":
            return self._answered_again(row, calls)
        if isinstance(row, Message):
            return None if row.content is None else replace(row, content=None)
        if isinstance(row, ToolCall) and row.result is not None:
            return _failed(row)
        if isinstance(row, ToolCall) and row.arguments is not None:
            return replace(row, arguments=None)
        if isinstance(row, ApiRequest) and _has_response(row):
            return replace(row, error=None, http_status=None, provider_request_id=None)
        if isinstance(row, Run) and row.settings is not None:
            return replace(row, settings=None)
        return None

    def _answered_again(self, message: Message, calls: Sequence[ToolCall]) -> Message | None:
        """What answered tool calls, first as their rows do, and then without their results."""
        match self._taken[message.id]:
            case 0:
                return replace(message, content=self.answers(calls).content)
            case 1:
                failed = [_failed(call) for call in calls]
                return replace(message, content=self.answers(failed).content)
            case _:
                return None


def _has_response(request: ApiRequest) -> bool:
    reported = (request.error, request.http_status, request.provider_request_id)
    return any(value is not None for value in reported)


def _failed(call: ToolCall) -> ToolCall:
    return replace(call, status="failed", result=None, error=_UNSTORABLE)


def _shortened(row: RunRecord, *, if_over: int) -> Message | None:
    """Only what is larger than a packet of the server comes to this."""
    if not isinstance(row, Message) or len(row.text) <= if_over:
        return None
    return replace(row, text=row.text[: len(row.text) * 3 // 4])


def _size(row: RunRecord) -> float:
    """About how many characters a row takes; infinite if it cannot be computed."""
    try:
        return len(repr(row))
    except (RecursionError, ValueError):  # too deep, or a number of too many digits
        return float("inf")
