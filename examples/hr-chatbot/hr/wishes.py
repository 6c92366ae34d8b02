"""What people ask of the application itself: days off, and how many are left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from .days import days_in

# Patterns take the square of its length or more: a long text would hold up everybody.
LONGEST = 300

_BALANCE = re.compile(
    r"how (?:many|much).*\b(?:vacation|holidays?|leave|days? off|time off)\b.*"
    r"\b(?:i have|i got|my|do i (?:still )?have|left|remain)",
    re.IGNORECASE | re.DOTALL,
)
_LEFT = re.compile(r"\b(?:left|remain)", re.IGNORECASE)
_OCCASION = re.compile(
    r"\b(?:i|my|we)\b.*\bhow (?:many|much)|\b(?:if|when|after|because|during|for (?:an?|the|my))\b",
    re.IGNORECASE | re.DOTALL,
)
_QUESTION = re.compile(
    r"\s*(?:how|what|when|which|who|why|where|is|are|do|does|did|will|must|should)\b", re.IGNORECASE
)
_TAKING = re.compile(r"\b(?:request|book|take|need|want|like|give me)\b", re.IGNORECASE)
_VACATION = re.compile(r"\b(?:off|vacation|holidays?|leave)\b", re.IGNORECASE)
_REASON = re.compile(r"(?:\W+off)?\W+(?:for|because|as)\s+(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class TimeOffWish:
    first_day: date
    last_day: date
    reason: str


def time_off_wished(text: str, today: date) -> TimeOffWish | None:
    """The days that somebody asks to have off, if this is what they ask. Raises `NoSuchDay`."""
    text = text[:LONGEST]
    if _QUESTION.match(text) or not (_TAKING.search(text) and _VACATION.search(text)):
        return None
    days = days_in(text, today)
    if days is None:
        return None
    reason = _REASON.match(text, days.end)
    return TimeOffWish(days.first, days.last, reason[1] if reason else "")


def asks_for_balance(text: str) -> bool:
    """Whether it asks for days of vacation; not for those that there are on an occasion."""
    text = text[:LONGEST]
    return bool(_BALANCE.search(text) and (_LEFT.search(text) or not _OCCASION.search(text)))
