"""Days as people say them: "next Friday", "3 to 5 March", "the first week of August".

`dateparser` and `parsedatetime` were tried: both read "the first week of August" and "the last week
of July" as one day, "the day after tomorrow" as tomorrow, and "3 to 5 March" as the 5th.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_COUNTED = {"first": 0, "second": 1, "third": 2, "fourth": 3, "1st": 0, "2nd": 1, "3rd": 2}
_NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

_FRIDAY = 4
_WEEK = timedelta(days=7)

_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?" for month in _MONTHS) + "|sept"
_WEEKDAY = "|".join(_WEEKDAYS)
_NUMBER = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(\d{4}))?"
_TO = r"\s*(?:to|until|till|through|and|[-\u2013])\s*(?:the\s+)?"


@dataclass(frozen=True)
class Days:
    """The first and the last of them, and where in the text they end."""

    first: date
    last: date
    end: int = 0


class NoSuchDay(ValueError):
    """A day that no calendar has; its message says which."""


def days_in(text: str, today: date) -> Days | None:
    """The days that a text names, if it names any. Raises `NoSuchDay`."""
    found = list(_named(text.lower(), today))
    if not found:
        return None
    start, first = found[0]
    for start, following in found[1:]:
        if not re.fullmatch(_TO, text.lower()[first.end : start]):
            break
        is_weekday = text.lower()[start : following.end] in _WEEKDAYS
        # On a Tuesday, "Monday to Wednesday" is not this Wednesday.
        later = _WEEK if is_weekday and following.last < first.first else timedelta()
        return Days(first.first, following.last + later, following.end)
    return first


def _named(text: str, today: date) -> Iterator[tuple[int, Days]]:
    """Each naming, from left to right: the longer form where two begin together."""
    place = 0
    while match := _FORMS.search(text, place):
        form = next(name for name, said in match.groupdict().items() if said)
        inner = re.fullmatch(_PATTERNS[form], match[0])
        assert inner
        first, last = _READERS[form](inner, today)
        yield match.start(), Days(first, last, match.end())
        place = match.end()


def _iso(said: re.Match[str], _: date) -> tuple[date, date]:
    return _once(_day(int(said[1]), int(said[2]), int(said[3])))


def _dotted(said: re.Match[str], today: date) -> tuple[date, date]:
    return _once(_dated(int(said[1]), int(said[2]), said[3], today))


def _relative(said: re.Match[str], today: date) -> tuple[date, date]:
    days = {"yesterday": -1, "today": 0, "tomorrow": 1, "the day after tomorrow": 2}
    return _once(today + timedelta(days=days[said[0]]))


def _ahead(said: re.Match[str], today: date) -> tuple[date, date]:
    number = _NUMBERS.get(said[1]) or int(said[1])
    return _once(today + timedelta(days=number * (7 if said[2].startswith("week") else 1)))


def _whole_week(said: re.Match[str], today: date) -> tuple[date, date]:
    weeks = {"last": -1, "this": 0, "next": 1}[said[1]]
    monday = _monday(today) + weeks * _WEEK
    first = max(monday, today) if weeks == 0 else monday
    return first, monday + timedelta(days=_FRIDAY)


def _on_weekday(said: re.Match[str], today: date) -> tuple[date, date]:
    """A "Friday" is the nearest to come, "next Friday" that of the next week, from Monday on."""
    place = _WEEKDAYS.index(said[2])
    if said[1] in {"next", "last"}:
        week = _monday(today) + (_WEEK if said[1] == "next" else -_WEEK)
        return _once(week + timedelta(days=place))
    return _once(today + timedelta(days=(place - today.weekday() - 1) % 7 + 1))


def _week_of_month(said: re.Match[str], today: date) -> tuple[date, date]:
    """The first week is that of the first Monday; the last has its Friday in the month."""
    month = _month(said[2])
    year = int(said[3]) if said[3] else today.year
    monday = _nth_monday(year, month, said[1])
    if not said[3] and monday + timedelta(days=_FRIDAY) < today:
        monday = _nth_monday(year + 1, month, said[1])
    return monday, monday + timedelta(days=_FRIDAY)


def _days_of_month(said: re.Match[str], today: date) -> tuple[date, date]:
    last = _dated(int(said[2]), _month(said[3]), said[4], today)
    return _day(last.year, last.month, int(said[1])), last


def _month_of_days(said: re.Match[str], today: date) -> tuple[date, date]:
    last = _dated(int(said[3]), _month(said[1]), said[4], today)
    return _day(last.year, last.month, int(said[2])), last


def _day_of_month(said: re.Match[str], today: date) -> tuple[date, date]:
    return _once(_dated(int(said[1]), _month(said[2]), said[3], today))


def _month_of_day(said: re.Match[str], today: date) -> tuple[date, date]:
    return _once(_dated(int(said[2]), _month(said[1]), said[3], today))


def _once(day: date) -> tuple[date, date]:
    return day, day


def _dated(day: int, month: int, year: str | None, today: date) -> date:
    """Without a year: the next one to come."""
    if year:
        return _day(int(year), month, day)
    this_year = _day(today.year, month, day)
    return this_year if this_year >= today else _day(today.year + 1, month, day)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        msg = f"{year}-{month:02}-{day:02} is in no calendar"
        raise NoSuchDay(msg) from error


def _month(said: str) -> int:
    return next(place for place, name in enumerate(_MONTHS, 1) if name.startswith(said[:3]))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _nth_monday(year: int, month: int, said: str) -> date:
    if said == "last":
        end = _day(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        friday = end - timedelta(days=(end.weekday() - _FRIDAY) % 7)
        return friday - timedelta(days=_FRIDAY)
    first = _day(year, month, 1)
    return first + timedelta(days=-first.weekday() % 7) + _COUNTED[said] * _WEEK


_COUNT = "|".join(_COUNTED)
_PATTERNS: Mapping[str, str] = {
    "iso": r"(\d{4})-(\d{2})-(\d{2})\b",
    "week_of_month": rf"\b(?:the )?({_COUNT}|last) week (?:of|in) ({_MONTH})\b{_YEAR}",
    "days_of_month": rf"\b{_NUMBER}{_TO}{_NUMBER}(?: of)? ({_MONTH})\b{_YEAR}",
    "month_of_days": rf"\b({_MONTH}) {_NUMBER}{_TO}{_NUMBER}\b{_YEAR}",
    "day_of_month": rf"\b{_NUMBER}(?: of)? ({_MONTH})\b{_YEAR}",
    "month_of_day": rf"\b({_MONTH}) {_NUMBER}\b{_YEAR}",
    "dotted": r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})?",
    "relative": r"\b(?:the day after tomorrow|tomorrow|today|yesterday)\b",
    "ahead": rf"\bin (\d{{1,2}}|{'|'.join(_NUMBERS)}) (days?|weeks?)\b",
    "whole_week": r"\b(next|this|last) week\b",
    "on_weekday": rf"\b(?:(this|next|last|on) )?({_WEEKDAY})\b",
}
_BARE = {name: re.sub(r"\((?!\?)", "(?:", pattern) for name, pattern in _PATTERNS.items()}
_FORMS = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _BARE.items()))
"""One group for each form, and none within it."""

_READERS: Mapping[str, Callable[[re.Match[str], date], tuple[date, date]]] = {
    "iso": _iso,
    "week_of_month": _week_of_month,
    "days_of_month": _days_of_month,
    "month_of_days": _month_of_days,
    "day_of_month": _day_of_month,
    "month_of_day": _month_of_day,
    "dotted": _dotted,
    "relative": _relative,
    "ahead": _ahead,
    "whole_week": _whole_week,
    "on_weekday": _on_weekday,
}
