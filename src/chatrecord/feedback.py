"""What people think of an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args
from uuid import UUID

Rating = Literal["positive", "negative"]
"""Above zero, or below."""

LONGEST_COMMENT = 10_000
"""Characters of a comment."""

LONGEST_OWNER = 255
"""Characters of an owner."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thinks of a message: the last that they said.

    `value` is a number: 1 for a thumb up and -1 for a thumb down, or a scale of your own around
    zero. `owner` is who said it, `""` if that was not told.
    """

    id: UUID
    chat_id: UUID
    message_id: UUID
    run_id: UUID | None
    owner: str
    value: float
    comment: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A group of a report: how many messages were rated, and how. `mean` is that of all values."""

    by: Mapping[str, object]
    count: int
    positive: int
    negative: int
    mean: float


def checked_value(value: object) -> float:
    """Raise `TypeError` or `ValueError` unless this is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"value= takes a number, such as 1 or -1, not {value!r}"
        raise TypeError(msg)
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        msg = f"value= takes a finite number, such as 1 or -1, not {number}"
        raise ValueError(msg)
    return number


def checked_comment(comment: object) -> str | None:
    """Raise `TypeError` or `ValueError` unless this is a text that is not too long, or `None`."""
    if comment is None:
        return None
    if not isinstance(comment, str):
        msg = f"comment= takes a text, not {type(comment).__name__}"
        raise TypeError(msg)
    if len(comment) > LONGEST_COMMENT:
        msg = f"comment= takes at most {LONGEST_COMMENT:,} characters, not {len(comment):,}"
        raise ValueError(msg)
    return comment if comment.strip() else None


def checked_owner(owner: object) -> str:
    """Raise `TypeError` or `ValueError` unless this is a text of at most 255 characters."""
    if not isinstance(owner, str):
        msg = f"owner= takes the text that says who rates, such as a user's id, not {owner!r}"
        raise TypeError(msg)
    if len(owner) > LONGEST_OWNER:
        msg = f"owner= takes at most {LONGEST_OWNER} characters, not {len(owner)}"
        raise ValueError(msg)
    return owner


def checked_rating(rating: object) -> Rating | None:
    """Raise `ValueError` unless this is `"positive"`, `"negative"` or `None`."""
    if rating is None or rating in get_args(Rating):
        return cast(Rating | None, rating)
    msg = f'rating= takes "positive", "negative" or None, not {rating!r}'
    raise ValueError(msg)
