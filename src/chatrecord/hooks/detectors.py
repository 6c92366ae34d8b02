"""Personal data found by other libraries, for `MaskPersonalData`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeAlias

from chatrecord.errors import ConfigurationError

PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_[a-z]{6}\]")
"""What stands for a value already."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[^A-Z0-9]+")


class Found(NamedTuple):
    """Personal data in a text: `text[start:end]` is a `name`, such as `"PHONE"`."""

    name: str
    start: int
    end: int


Detector: TypeAlias = Callable[[str], Iterable[Found]]
"""Finds personal data in a text."""


class Analyzer(Protocol):
    """What `presidio` needs of an `AnalyzerEngine` of Presidio."""

    def analyze(self, text: str, language: str, **options: Any) -> Sequence[Any]:
        """Return what was found, each with `entity_type`, `start`, `end` and `score`."""


def presidio(
    analyzer: Analyzer,
    *,
    language: str = "en",
    entities: Sequence[str] | None = None,
    score: float = 0.4,
) -> Detector:
    """Find personal data with Presidio, such as names and places.

        mask = MaskPersonalData(detectors=[presidio(AnalyzerEngine())])

    `analyzer` is your `AnalyzerEngine`, with the models and recognisers of your choice. `entities`
    are those that it looks for (all by default), `score` is the least that counts. Needs the extra
    `presidio`.
    """
    wanted = None if entities is None else list(entities)

    def found(text: str) -> Iterable[Found]:
        results = analyzer.analyze(text, language, entities=wanted, score_threshold=score)
        return [Found(it.entity_type, it.start, it.end) for it in results]

    return found


def phone_numbers(region: str | None = None) -> Detector:
    """Find phone numbers with the package `phonenumbers`, which knows the numbers of each country.

        mask = MaskPersonalData(detectors=[phone_numbers("DE")])

    `region` is the country of numbers without a prefix (ISO 3166); without it, only numbers that
    begin with `+` are found. Needs the extra `phonenumbers`. Raises `ConfigurationError` without
    it, and for an unknown region.
    """
    try:
        library: Any = import_module("phonenumbers")
    except ModuleNotFoundError as error:
        msg = 'phone_numbers() needs phonenumbers: pip install "chatrecord[phonenumbers]"'
        raise ConfigurationError(msg) from error
    if region is not None and region not in library.SUPPORTED_REGIONS:
        msg = f"region= is a country such as 'DE', not {region!r}"
        raise ConfigurationError(msg)

    def found(text: str) -> Iterable[Found]:
        matches = library.PhoneNumberMatcher(text, region)
        return [Found("PHONE", match.start, match.end) for match in matches]

    return found


def detected(text: str, detector: Detector) -> list[Found]:
    """What a detector finds, in order: the first and the longest of those that overlap.

    Placeholders are left alone.
    """
    plain = _SURROGATE.sub("\ufffd", text)  # which no library can encode
    taken = [it.span() for it in PLACEHOLDER.finditer(text)]
    chosen: list[Found] = []
    for it in sorted(detector(plain), key=lambda found: (found.start, -found.end)):
        free = all(it.end <= start or it.start >= end for start, end in taken)
        if free and 0 <= it.start < it.end <= len(text):
            chosen.append(Found(_NAME.sub("_", it.name.upper()).strip("_") or "DATA", *it[1:]))
            taken.append((it.start, it.end))
    return chosen
