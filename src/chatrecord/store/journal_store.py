"""The port to the journal of live answers, and how their runs do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from .changes import JournalEntry, Lease
from .rows import RunState


class JournalStore(Protocol):
    """The journal of live answers, and how their runs do.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def flush(
        self,
        news: Mapping[Lease, Sequence[JournalEntry]],
        *,
        renew: Collection[UUID] | None = None,
    ) -> Mapping[UUID, bool]:
        """Append the news of each run to the journal, and renew the leases of the runs in `renew`.

        `None` renews all. The other leases are checked only: no other process takes over a run
        between the check and the commit of its news.

        Tells those who listen to `notifications` of runs that have news, where the database can
        tell. Returns for each run whether it has been asked to stop. A run that is missing there
        has been taken over, and nothing was written for it.
        """

    async def journal(self, message_id: UUID, *, after: int) -> list[JournalEntry]:
        """The pieces of a message that is still streaming, after the number `after`."""

    async def journal_since(self, positions: Mapping[UUID, int]) -> list[JournalEntry]:
        """The pieces of these messages after the number each has been read to, in their order."""

    async def delete_orphaned_pieces(self) -> int:
        """Delete the pieces of messages that are not there any more. Returns of how many messages.

        They are left where a message was deleted by SQL of the user's while it was streaming.
        """

    async def run_states(self, run_ids: Sequence[UUID]) -> Mapping[UUID, RunState]:
        """How each of these runs does; deleted ones are missing."""

    def notifications(self) -> AsyncGenerator[Collection[UUID] | None]:
        """The ids of runs that have just written something, as soon as the database tells.

        `None` is for runs that are not named. A database that cannot tell says nothing, ever.
        """
