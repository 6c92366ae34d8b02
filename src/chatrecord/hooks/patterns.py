"""What personal data looks like in text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address


def _any(_found: str) -> bool:
    return True


_WORD = re.compile(r"[^ -]+")
_LONGEST = 50
"""Characters of the longest number that is written in groups."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, and a check of its matches.

    If the check fails for the whole match, it may succeed for some of its groups: for the card
    number in `2 4111 1111 1111 1111`.
    """

    expression: re.Pattern[str]
    holds: Callable[[str], bool] = _any

    def replaced(self, text: str, stand_in: Callable[[str], str]) -> str:
        """The text with all matches replaced."""
        return self.expression.sub(lambda found: self._replaced(found[0], stand_in), text)

    def _replaced(self, found: str, stand_in: Callable[[str], str]) -> str:
        if self.holds(found):
            return stand_in(found)
        words = list(_WORD.finditer(found))
        starts, ends = [word.start() for word in words], [word.end() for word in words]
        made, place = "", 0
        for start in starts:
            near = [end for end in reversed(ends) if start < end <= start + _LONGEST]
            end = next((end for end in near if self.holds(found[start:end])), None)
            if start >= place and end is not None:
                made += found[place:start] + stand_in(found[start:end])
                place = end
        return made + found[place:]


def is_card(found: str) -> bool:
    """Whether the digits of this are a credit card's: 13 to 19, with a check digit by Luhn."""
    digits = [int(sign) for sign in found if sign.isdigit()]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0  # noqa: PLR2004


def is_iban(found: str) -> bool:
    """Whether this is an IBAN, by its check digits (ISO 7064)."""
    plain = re.sub(r"[ -]", "", found).upper()
    if not 15 <= len(plain) <= 34 or not plain[:2].isalpha():  # noqa: PLR2004
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def is_phone(found: str) -> bool:
    """Whether this has as many digits as a phone number (ITU-T E.164: 15 at most)."""
    return 7 <= sum(sign.isdigit() for sign in found) <= 15  # noqa: PLR2004


def is_ip(found: str) -> bool:
    """Whether this is an address of the internet protocol, version 4 or 6."""
    try:
        ip_address(found)
    except ValueError:
        return False
    return True


PERSONAL_DATA: Mapping[str, Pattern] = {
    "EMAIL": Pattern(
        re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"),
    ),
    "IBAN": Pattern(
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,}"),
        is_iban,
    ),
    "CREDIT_CARD": Pattern(
        re.compile(r"(?<![\w.-])(?!\d{8}-\d{4}-)\d(?:[ -]?\d){12,}(?![\w-])"), is_card
    ),
    "IP": Pattern(
        re.compile(
            r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}"
            r"|(?=[0-9A-Fa-f]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?)"
            r"(?![\w:]|\.\d)"
        ),
        is_ip,
    ),
    "PHONE": Pattern(
        re.compile(
            r"(?<![\w.+-])(?!\d\d?[./-]\d\d?[./-]\d{2,4}\b|\d{8}-\d{4}-)"  # no dates, no UUIDs
            r"(?:\+\d{1,3}|00\d{1,3}|\(0\d{1,5}\)|0\d{1,5}|\(\d{3}\)|\d{3}(?=[ .-]\d{3}[ .-]\d{4}))"
            r"(?:[ ./-]{0,2}(?:\(\d{1,6}\)|\d{1,6})){1,6}"
            r"(?![\w-])"
        ),
        is_phone,
    ),
}
"""The names and patterns of `MaskPersonalData`, in the order in which they are looked for."""
