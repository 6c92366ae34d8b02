"""What a look at a database finds: rows that break one of the library's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks a rule: `invariant` says the rule, and `what` how the row breaks it.

    `row_id` is its id (that of the message, for a piece of the journal). `what` holds statuses,
    numbers, times and ids, and nothing that was said. `mended` tells whether it was mended.
    """

    invariant: str
    table: str
    row_id: UUID
    chat_id: UUID | None
    what: str
    mended: bool = False

    @property
    def place(self) -> tuple[str, str, UUID]:
        """Which row it is, and which rule."""
        return self.invariant, self.table, self.row_id
