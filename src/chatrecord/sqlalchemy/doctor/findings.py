"""The findings of the doctor: rows that break an invariant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks an invariant: `invariant` states it, and `what` says how the row breaks it.

    `row_id` is its id (that of the message, for a piece of the journal). `what` holds statuses,
    numbers, times and ids, and no message text. `repaired` tells whether it was repaired.
    """

    invariant: str
    table: str
    row_id: UUID
    chat_id: UUID | None
    what: str
    repaired: bool = False

    @property
    def place(self) -> tuple[str, str, UUID]:
        """Which row it is, and which rule."""
        return self.invariant, self.table, self.row_id
