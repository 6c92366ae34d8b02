"""The port to the branches of a chat: its replaced messages, and copies of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chatrecord.records import ChatRecord, Json, Message, MessageStatus, Role, RunStatus

Numbers = tuple[int, int]
"""The first and the last `seq` of messages that stand beside each other."""


@dataclass(frozen=True, slots=True)
class MessageHead:
    """A message without what it says."""

    id: UUID
    seq: int
    run_id: UUID | None
    role: Role
    status: MessageStatus


@dataclass(frozen=True, slots=True)
class RunHead:
    """What a run has done to the messages of its chat.

    `replaces` is the `seq` of the first message that it replaced. `epoch` is above 1 if it was
    resumed.
    """

    id: UUID
    status: RunStatus
    error: str | None
    replaces: int | None
    epoch: int


@dataclass(frozen=True, slots=True)
class Restored:
    """The messages that were current once an earlier branch was restored.

    All of them are below the number `before`, which the next message got.
    """

    before: int
    current: Sequence[Numbers]

    @property
    def json(self) -> Json:
        """Its stored form."""
        return {"before": self.before, "current": [list(numbers) for numbers in self.current]}


@dataclass(frozen=True, slots=True)
class Outline:
    """All messages of a chat by their numbers, the runs that wrote them, and what was restored."""

    messages: Sequence[MessageHead]
    runs: Mapping[UUID, RunHead]
    restored: Sequence[Restored]
    next_seq: int


@dataclass(frozen=True, slots=True)
class Restoration:
    """What changes as a branch is restored. Summaries of messages from `first` on go, too."""

    statuses: Mapping[UUID, MessageStatus]
    first: int
    restored: Sequence[Restored]
    next_seq: int


@dataclass(frozen=True, slots=True)
class Fork:
    """A copy of a chat: these messages and their runs, each under a new id.

    `statuses` has those of the messages in the copy, whatever becomes of the `source` meanwhile.
    """

    chat: ChatRecord
    source: UUID
    messages: Mapping[UUID, UUID]
    statuses: Mapping[UUID, MessageStatus]
    runs: Mapping[UUID, UUID]


class BranchStore(Protocol):
    """The branches of a chat.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def outline(self, chat_id: UUID) -> Outline:
        """All messages of the chat that have a number, as of one moment."""

    async def messages_of_ids(
        self, chat_id: UUID, message_ids: Sequence[UUID]
    ) -> Mapping[UUID, Message]:
        """Those of these messages that the chat has, by their ids."""

    async def restore(self, chat_id: UUID, restoration: Restoration) -> bool:
        """Change which messages are current. Returns whether that was done.

        It is not if the chat has new messages or an active run by now.
        """

    async def fork(self, fork: Fork) -> ChatRecord:
        """Write the copy, with the tool calls of its messages and its files, but no requests.

        Raises `ChatExists` if the copy has been written before.
        """
