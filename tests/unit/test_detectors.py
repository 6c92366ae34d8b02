"""Personal data that other libraries find is masked as that of the patterns is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from chatrecord.errors import ConfigurationError
from chatrecord.hooks import Found, MaskPersonalData, phone_numbers, presidio

CHAT = UUID("01890000-0000-7000-8000-00000000000a")


def masked(text: str, *detectors: Any, patterns: Any = None) -> tuple[str, dict[str, str]]:
    """The text with the names of placeholders only, and the values behind them."""
    values: dict[str, str] = {}
    mask = MaskPersonalData(patterns or {}, detectors=detectors)
    whole = mask.masked(CHAT, text, values)
    assert mask.masked(CHAT, whole, dict(values)) == whole, "placeholders stay"
    for placeholder, value in values.items():
        assert placeholder in whole
        assert text.replace(value, "") != text
    return re.sub(r"_[a-z]{6}\]", "]", whole), values


@pytest.mark.parametrize(
    ("region", "text", "expected"),
    [
        ("DE", "Ruf 030 901820 an, oder 0171-1234567.", "Ruf [PHONE] an, oder [PHONE]."),
        ("US", "\ud800 call (202) 555-0143 now \U0001f600", "\ud800 call [PHONE] now \U0001f600"),
        (None, "030 901820 or +49 30 901820", "030 901820 or [PHONE]"),
        ("DE", "Rechnung 2026-11-30, 1234", "Rechnung 2026-11-30, 1234"),
    ],
)
def test_phone_numbers_of_a_country_are_masked(
    region: str | None, text: str, expected: str
) -> None:
    assert masked(text, phone_numbers(region))[0] == expected


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="region="):
        phone_numbers("Germany")


def test_of_what_overlaps_the_first_and_longest_is_masked() -> None:
    def names(text: str) -> Iterable[Found]:
        for name, value in (("first name", "Ann"), ("PERSON", "Ann Lee"), ("PLACE", "Lee Street")):
            if (start := text.find(value)) >= 0:
                yield Found(name, start, start + len(value))

    text, values = masked("Ann Lee Street, ann@example.com", names)
    assert text == "[PERSON] Street, ann@example.com"
    assert list(values.values()) == ["Ann Lee"]


def test_presidio_finds_what_its_recognisers_know() -> None:
    analyzer = pytest.importorskip("presidio_analyzer")
    spacy = pytest.importorskip("spacy")
    engines = pytest.importorskip("presidio_analyzer.nlp_engine")

    class WithoutModel(engines.SpacyNlpEngine):  # type: ignore[name-defined, misc]
        """Words alone: the recognisers of patterns need no more."""

        def load(self) -> None:
            self.nlp = {"en": spacy.blank("en")}

    engine = WithoutModel(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.load()
    found = presidio(
        analyzer.AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]),
        entities=["CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"],  # others load a list from the internet
    )

    text, values = masked(
        "\ud800 4111 1111 1111 1111 and DE89370400440532013000 at 10.0.0.7", found
    )

    assert text == "\ud800 [CREDIT_CARD] and [IBAN_CODE] at [IP_ADDRESS]"
    assert sorted(values.values()) == ["10.0.0.7", "4111 1111 1111 1111", "DE89370400440532013000"]
