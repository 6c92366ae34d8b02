"""What one statement, or one round of them, writes of a flush of the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from uuid import UUID

from chatrecord.sqlalchemy.generics import Values
from chatrecord.store.changes import JournalEntry, Lease

_LARGEST = 250_000
"""Characters that one statement inserts: a tenth of a packet, and ten bytes at most for each of
them, escaped and encrypted."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Leases of one owner and one end, and pieces of their runs."""

    owner: str
    until: datetime
    due: list[Lease] = field(default_factory=list)
    """Those to renew."""
    held: list[Lease] = field(default_factory=list)
    """The others that have pieces."""
    seen: list[Lease] = field(default_factory=list)
    """Those without any, which are only looked at."""
    pieces: list[tuple[UUID, JournalEntry]] = field(default_factory=list)
    """Each with the id of its run."""

    @property
    def told(self) -> list[UUID]:
        """The runs that have pieces."""
        return list(dict.fromkeys(run_id for run_id, _ in self.pieces))

    @property
    def arrays(self) -> Values:
        """The parameters of the statement that does it all."""
        leases = {"due": self.due, "held": self.held, "seen": self.seen}
        pieces = [entry for _, entry in self.pieces]
        return {
            "of_owner": self.owner,
            "new_lease_until": self.until,
            **{f"{name}_run_id": [each.run_id for each in of] for name, of in leases.items()},
            **{f"{name}_epoch": [each.epoch for each in of] for name, of in leases.items()},
            "piece_run_id": [run_id for run_id, _ in self.pieces],
            "piece_message_id": [entry.message_id for entry in pieces],
            "piece_seq": [entry.seq for entry in pieces],
            "piece_payload": [entry.payload for entry in pieces],
        }

    def by_epoch(self) -> Iterator[Flush]:
        """The same without the pieces, one for each epoch: mostly one, as few runs are resumed."""
        for epoch in sorted({each.epoch for each in (*self.due, *self.held, *self.seen)}):
            due, held, seen = (
                [each for each in of if each.epoch == epoch]
                for of in (self.due, self.held, self.seen)
            )
            yield Flush(self.owner, self.until, due, held, seen)


def flushes(
    news: Mapping[Lease, Sequence[JournalEntry]], renew: Collection[UUID] | None
) -> Iterator[Flush]:
    """All of it, in portions that any server takes in one packet: mostly one."""
    for (owner, until), leases in groupby(sorted(news, key=_place), lambda it: _place(it)[:2]):
        flush = Flush(owner, until)
        for lease in leases:  # by their ids: all lock in the same order
            is_due = renew is None or lease.run_id in renew
            (flush.due if is_due else flush.held if news[lease] else flush.seen).append(lease)
        yield from _portions(flush, news)


def _place(lease: Lease) -> tuple[str, datetime, UUID]:
    return lease.owner, lease.until, lease.run_id


def _portions(flush: Flush, news: Mapping[Lease, Sequence[JournalEntry]]) -> Iterator[Flush]:
    size = 0
    for lease in (*flush.due, *flush.held):
        for entry in news[lease]:
            if flush.pieces and size + entry.size > _LARGEST:
                yield flush
                # They are locked now, and looked at once more.
                flush, size = replace(flush, due=[], held=[*flush.due, *flush.held], pieces=[]), 0
            flush.pieces.append((lease.run_id, entry))
            size += entry.size
    yield flush


def padded(run_ids: Iterable[UUID]) -> list[UUID]:
    """These ids, the last repeated up to a power of two: lists of few lengths have few plans."""
    ids = list(run_ids)
    return ids + ids[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids))
