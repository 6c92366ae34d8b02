"""What this process has written last, for reads that a replica may not be ready for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from time import monotonic
from typing import TypeVar
from uuid import UUID

from chatrecord.records import ChatRecord
from chatrecord.store.chat_store import Scope

Value = TypeVar("Value")

_MOST = 5_000
"""Chats that are known. Of those before, every chat is taken to be one."""


class LastWrites:
    """When each chat was last written by this process, by `monotonic()`, and whose it is."""

    def __init__(self) -> None:
        self._times: dict[UUID, float] = {}
        self._columns: dict[UUID, Mapping[str, object]] = {}
        self._chats: dict[UUID, UUID] = {}
        self._of_others = 0.0

    def note(self, chat_id: UUID, *, within: float = 0.0) -> None:
        """It was written, or will be `within` so many seconds."""
        self._times.pop(chat_id, None)
        self._times[chat_id] = monotonic() + within
        if len(self._times) > _MOST:
            oldest = next(iter(self._times))
            self._of_others = max(self._of_others, self._times.pop(oldest))

    def note_runs(self, run_ids: Collection[UUID]) -> None:
        """Runs that this process has begun or taken up were written."""
        for run_id in run_ids:
            if run_id in self._chats:
                self.note(self._chats[run_id])

    def note_run(self, run_id: UUID, chat_id: UUID) -> None:
        """This process has begun a run of the chat, or taken it up."""
        _keep(self._chats, run_id, chat_id)
        self.note(chat_id)

    def learn(self, chat: ChatRecord) -> None:
        """Whose this chat is."""
        _keep(self._columns, chat.id, chat.columns)

    def forget(self, until: float) -> None:
        """A replica has what was written until then."""
        self._times = {chat: time for chat, time in self._times.items() if time > until}

    def of_chat(self, chat_id: UUID) -> float:
        """When it was last written. 0 if it was not."""
        return self._times.get(chat_id, self._of_others)

    def of_scope(self, scope: Scope) -> float:
        """When a chat within the scope, or one that may be, was last written."""
        times = (time for chat, time in self._times.items() if self._may_be(chat, scope))
        return max(times, default=self._of_others)

    def _may_be(self, chat_id: UUID, scope: Scope) -> bool:
        known = self._columns.get(chat_id)
        return known is None or not any(
            name in known and type(known[name]) is type(value) and known[name] != value
            for name, value in scope.items()
        )


def _keep(known: dict[UUID, Value], key: UUID, value: Value) -> None:
    known.pop(key, None)
    known[key] = value
    if len(known) > _MOST:
        del known[next(iter(known))]
