"""Ids of tool calls on the wire: each once in a run, whatever a model has called its calls.

Clients put a result where the id is. Models that number their calls anew in each answer would
overwrite the first call by the second. Rows keep the ids of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

from chatrecord.records import Chunk, ToolCall
from chatrecord.store.rows import RunRows


@dataclass(slots=True)
class WireIds:
    """The ids of one run's calls. They are the same live and in the history."""

    _of_rows: dict[UUID, str] = field(default_factory=dict)
    _arriving: dict[tuple[UUID, str], str] = field(default_factory=dict)

    def arriving(self, message_id: UUID, call_id: str) -> str:
        """The id of a call that has no row yet, as its arguments are still arriving."""
        known = self._arriving.get((message_id, call_id))
        if known is None:
            known = self._arriving[message_id, call_id] = self._free(call_id)
        return known

    def shown(self, call: ToolCall) -> ToolCall:
        """The call under its id on the wire. The first with an id keeps it."""
        if call.id not in self._of_rows:
            arrived = self._arriving.pop((call.message_id, call.call_id), None)
            self._of_rows[call.id] = arrived or self._free(call.call_id)
        known = self._of_rows[call.id]
        return call if known == call.call_id else replace(call, call_id=known)

    def _free(self, call_id: str) -> str:
        taken = {*self._of_rows.values(), *self._arriving.values()}
        numbered = (f"{call_id}-{number}" for number in count(2))
        return call_id if call_id not in taken else next(it for it in numbered if it not in taken)


@dataclass(slots=True)
class LiveCalls:
    """The calls in a stream."""

    ids: WireIds = field(default_factory=WireIds)
    _open: dict[UUID, ToolCall] = field(default_factory=dict)

    def shown(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        """These chunks with the ids of the wire."""
        return [self._shown(chunk) for chunk in chunks]

    def _shown(self, chunk: Chunk) -> Chunk:
        if chunk.kind == "tool_input" and (called := chunk.tool_input) is not None:
            call_id = self.ids.arriving(chunk.message_id, called.call_id)
            return replace(chunk, tool_input=replace(called, call_id=call_id))
        if chunk.tool_call is None:
            return chunk
        call = self.ids.shown(chunk.tool_call)
        if chunk.kind == "tool_call":
            self._open[call.id] = call
        else:
            self._open.pop(call.id, None)
        return chunk if call is chunk.tool_call else replace(chunk, tool_call=call)

    def interrupted(self) -> Sequence[Chunk]:
        """The results of the calls that the end of the run has cut off."""
        cut = [replace(call, status="interrupted") for call in self._open.values()]
        return [Chunk("tool_result", call.message_id, tool_call=call) for call in cut]


def current_calls(rows: RunRows) -> list[ToolCall]:
    """The calls of a run that count, oldest first: those of answers that were not replaced."""
    current = {row.id for row in rows.messages if row.status != "superseded"}
    return [call for call in rows.tool_calls if call.message_id in current]


def shown_calls(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """These calls of one run, oldest first, under their ids on the wire."""
    ids = WireIds()
    return [ids.shown(call) for call in calls]
