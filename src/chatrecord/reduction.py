"""What is given up of a run's rows where the database will not take a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from .llm import Body
from .records import Message, Run, ToolCall
from .store import Changes, RunRecord

_UNSTORABLE = "The result could not be stored"
_SHORT = 1_000
"""Characters of a text that every database takes."""


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
        rows = [*changes.new.values(), *changes.changed.values()]
        with_less = ((row, self._without_value(row, calls)) for row in rows)
        found = [(row, less) for row, less in with_less if less is not None]
        if not found:
            return max(_shortened(rows), key=lambda message: len(message.text), default=None)
        _, less = max(found, key=lambda pair: _size(pair[0]))
        self._taken[less.id] += 1
        return less

    def _without_value(self, row: RunRecord, calls: Sequence[ToolCall]) -> RunRecord | None:
        if isinstance(row, Message) and row.role == "tool":
            return self._answered_anew(row, calls)
        if isinstance(row, Message):
            return None if row.content is None else replace(row, content=None)
        if isinstance(row, ToolCall) and row.result is not None:
            return _failed(row)
        if isinstance(row, ToolCall) and row.arguments is not None:
            return replace(row, arguments=None)
        if isinstance(row, Run) and row.settings is not None:
            return replace(row, settings=None)
        return None

    def _answered_anew(self, message: Message, calls: Sequence[ToolCall]) -> Message | None:
        """What answered tool calls, first as their rows do, and then without their results."""
        match self._taken[message.id]:
            case 0:
                return replace(message, content=self.answers(calls).content)
            case 1:
                failed = [_failed(call) for call in calls]
                return replace(message, content=self.answers(failed).content)
            case _:
                return None


def _failed(call: ToolCall) -> ToolCall:
    return replace(call, status="failed", result=None, error=_UNSTORABLE)


def _shortened(rows: Iterable[RunRecord]) -> list[Message]:
    """Only what is larger than a packet of the server comes to this: megabytes."""
    texts = [row for row in rows if isinstance(row, Message) and len(row.text) > _SHORT]
    return [replace(message, text=message.text[: len(message.text) // 2]) for message in texts]


def _size(row: RunRecord) -> float:
    """About how many characters a row takes; endless where that cannot be told."""
    try:
        return len(repr(row))
    except (RecursionError, ValueError):  # too deep, or a number of too many digits
        return float("inf")
