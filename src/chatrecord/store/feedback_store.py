"""The port to what people think of answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatrecord.feedback import Feedback, FeedbackRow, Rating

from .chat_store import Scope


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """Which feedback is wanted: given from `since` on and before `until`, of chats in the scope."""

    rating: Rating | None
    since: datetime | None
    until: datetime | None
    scope: Scope


class FeedbackStore(Protocol):
    """What people think of answers.

    Each method is its own transaction. A failure raises a `ChatRecordError` or the driver's own
    error, never silently; a database that does not answer has failed, too.
    """

    @property
    def keeps_feedback(self) -> bool:
        """Whether there is a table for it."""

    async def put_feedback(self, feedback: Feedback) -> Feedback:
        """Store it, in the place of what the same owner has said of the message before."""

    async def delete_feedback(self, chat_id: UUID, message_id: UUID, owner: str) -> bool:
        """Delete what this owner has said of a message. Returns whether there was something."""

    async def feedback_of_chat(
        self, chat_id: UUID, run_ids: Collection[UUID | None] | None = None
    ) -> list[Feedback]:
        """All of a chat, or of some of its runs, oldest first. Nothing where it is not kept.

        `None` among the runs stands for messages that no run has written, such as imported ones.
        """

    async def list_feedback(
        self, wanted: FeedbackFilter, *, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[Feedback]:
        """A page, the newest first."""

    async def feedback_report(
        self,
        by: Sequence[str],
        wanted: FeedbackFilter,
        *,
        among: Collection[object] | None = None,
    ) -> list[FeedbackRow]:
        """Counts and means in groups; with `among`, of these values of the first name only."""
