"""What a search finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text in one line. `marks` are the places of the words that were searched for.

    A mark is the first character and the one behind the last, as in `text[start:end]`. The text is
    plain: it has no HTML in it, and escapes none.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in parts, each with whether it is marked."""
        done = 0
        for start, end in self.marks:
            if start > done:
                yield self.text[done:start], False
            yield self.text[start:end], True
            done = end
        if done < len(self.text):
            yield self.text[done:], False


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message that fits a search, or a chat whose title does.

    `role` is `"user"` or `"assistant"`, or `"title"`: then `message_id` and `seq` are `None`.
    `title` is that of the chat. `rank` is larger for a better hit; compare it within one search
    only.
    """

    chat_id: UUID
    title: str | None
    message_id: UUID | None
    seq: int | None
    role: str
    snippet: Snippet
    rank: float
    created_at: datetime
