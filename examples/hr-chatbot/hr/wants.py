"""What a question wants to hear: a sum, a time, a person, a yes or no. A sentence may have it."""

from __future__ import annotations

import re

_NUMBER = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|half|"
    r"a quarter)"
)
_UNIT = r"(?:minutes?|hours?|days?|weeks?|months?|years?)"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
)

_SPAN = r"(?:minutes|hours|days|weeks|months|years|holidays)"
_PLACE = (
    r"(?:utrecht|leeds|porto|floor|room|reception|portal|app|office|site|car park|square|home|"
    r"intranet|shower)"
)
_SOMEBODY = (
    r"(?:manager|head|team|desk|legal|payroll|reception|officer|director|council|line|people|"
    r"administrators?|company|confidants?|extension|doctor|police)"
)
_ALLOWED = (
    r"(?:can|may|allowed|must|not|no|need|only|welcome|forbidden|have to|(?:are|is) paid|get|"
    r"has to|nobody|never)"
)

_SUM = (
    r"how much|what (?:may|can|does|do i|is the (?:rate|limit))\b|\brate\b|percentage",
    rf"\b{_NUMBER}\s+(?:euros|percent)|\bfree\b|\bsalar",
)
_DURATION = (
    rf"how (?:long|early|soon|quickly|late)\b|after how (?:many|long)|how many {_SPAN}",
    rf"\b{_NUMBER}(?:\s\w+)?\s+{_UNIT}\b",
)
_MOMENT = (
    r"\bwhen\b|(?:which|what) (?:day|date|time)|on which|between which",
    rf"\d{{1,2}}:\d\d|\bnoon\b|\b{_MONTH}\b|\b{_DAY}\b|\b\d+(?:st|nd|rd|th)\b",
)
_COUNT = (r"how (?:many|often|old|high|big|far)\b|\bage\b", rf"\b{_NUMBER}\b")
_WHO = (r"\bwho(?:m|se)?\b", rf"\b{_SOMEBODY}\b")
_WHERE = (
    r"\bwhere\b|how do i (?:reserve|book|report|complain)",
    rf"\b(?:in|at|on|beside|through|to)\b.*\b{_PLACE}\b",
)
_YES_OR_NO = (
    r"(?:^|, )(?:can|may|must|do|does|is|are|am|will|should)\b",
    rf"\b{_ALLOWED}\b",
)
_FORMS = (_SUM, _DURATION, _MOMENT, _COUNT, _WHO, _WHERE, _YES_OR_NO)
"""What asks for it, and what a sentence with it looks like; the first that fits."""

_WANTED = tuple((re.compile(asked), re.compile(said)) for asked, said in _FORMS)


def form_of_answer(question: str) -> re.Pattern[str] | None:
    """The pattern that a sentence has which can answer this question: in small letters."""
    asked = question.lower()
    return next((form for pattern, form in _WANTED if pattern.search(asked)), None)


def is_personal(question: str) -> bool:
    """Whether it is about the one who asks: "May I ...?", "my pay", and not "Is there ...?"."""
    return bool(re.search(r"\b(?:i|my|me|mine|myself)\b", question.lower()))
