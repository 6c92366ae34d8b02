"""What a caller gives, checked before anything is written: each error names the argument."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast, get_args
from uuid import UUID

from chatrecord.records import Json, RunStatus

from .storable import escape

LONGEST_KEY = 255
"""Characters of a text that is indexed, such as an idempotency key."""

_DEEPEST = 300
_LARGEST = 2**31 - 1
_LONGEST_NUMBER = 14_000
"""Bits of a number that Python still writes as text (4,300 digits)."""


def check_text(name: str, value: object) -> None:
    """Raise `TypeError` for what is neither text nor `None`."""
    if value is not None and not isinstance(value, str):
        msg = f"{_shown(name)} takes text, not {_kind(value)}: pass str({_plain(name)})"
        raise TypeError(msg)


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Raise `TypeError` or `ValueError` for an invalid count."""
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{_shown(name)} takes a whole number, not {_kind(value)}: pass int({_plain(name)})"
        raise TypeError(msg)
    if value < least:
        msg = f"{_shown(name)} takes a number from {least} on, not {value}"
        raise ValueError(msg)
    if value > _LARGEST:
        msg = f"{_shown(name)} takes at most {_LARGEST:,}"
        raise ValueError(msg)


def check_status(status: object) -> None:
    """Raise `ValueError` for a value that is no status of a run."""
    if status is not None and status not in get_args(RunStatus):
        known = ", ".join(map(repr, get_args(RunStatus)))
        msg = f"status= is one of {known}, not {status!r}"
        raise ValueError(msg)


def check_amount(name: str, value: object) -> None:
    """Raise `TypeError` or `ValueError` for a value that is no number from 0 on."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        msg = f"{_shown(name)} takes a number, not {_kind(value)}"
        raise TypeError(msg)
    if math.isnan(value) or value < 0:
        msg = f"{_shown(name)} takes a number from 0 on, not {value!r}"
        raise ValueError(msg)


def check_moment(name: str, moment: object) -> None:
    """Raise `TypeError` or `ValueError` unless this is `None` or a moment with a time zone."""
    if moment is not None and not isinstance(moment, datetime):
        msg = f"{name}= takes a datetime, not {type(moment).__name__}"
        raise TypeError(msg)
    if moment is not None and moment.tzinfo is None:
        msg = f"{name}= has no time zone: pass an aware one, as datetime.now(UTC)"
        raise ValueError(msg)


def check_list(name: str, value: object, of: str) -> None:
    """Raise `TypeError` for a value that is no list or tuple."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        wrong = f"takes a list of {of}, not {_kind(value)}"
        fix = "leave it out for none" if value is None else f"pass {name}=[...]"
        msg = f"{name}= {wrong}: {fix}"
        raise TypeError(msg)


def check_key(key: object) -> None:
    """Raise `TypeError` or `ValueError` for an invalid idempotency key."""
    check_text("idempotency_key", key)
    if isinstance(key, str) and not 0 < len(escape(key)) <= LONGEST_KEY:
        msg = f"idempotency_key= takes 1 to {LONGEST_KEY} characters, not {len(key)}"
        raise ValueError(msg)


def check_prompt(prompt: object, *, has_files: bool) -> None:
    """Raise `TypeError` or `ValueError` for what asks nothing, or cannot be asked."""
    if isinstance(prompt, str):
        parts: Sequence[object] = [prompt]
    elif isinstance(prompt, Sequence) and not isinstance(prompt, bytes | bytearray | memoryview):
        parts = prompt
    else:
        msg = f"prompt= takes text, or a list of texts and files, not {_kind(prompt)}"
        raise TypeError(msg)
    for place, part in enumerate(parts):
        if not isinstance(part, str) and not hasattr(part, "kind"):
            msg = (
                f"prompt[{place}] is {_kind(part)}: a prompt has texts, and files as the LLM "
                "library makes them. Paths and Attachments go into attachments="
            )
            raise TypeError(msg)
    if not has_files and all(isinstance(part, str) and not part.strip() for part in parts):
        msg = "prompt= is blank: there is nothing to ask"
        raise ValueError(msg)


def check_output_type(output_type: object) -> None:
    """Raise `TypeError` for what is a value rather than a type."""
    if isinstance(output_type, str | bytes | int | float | Mapping | set):
        msg = f"output_type= takes a type, such as bool or a pydantic model, not {output_type!r}"
        raise TypeError(msg)


def checked_id(value: object, name: str = "chat_id") -> UUID | None:
    """The id that this is, or `None` for a text that is none. Raises `TypeError`."""
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str):
        msg = f"{name}= takes a UUID or its text, not {_kind(value)}"
        raise TypeError(msg)
    try:
        return UUID(value)
    except ValueError:
        return None


def checked_metadata(metadata: object) -> dict[str, Json]:
    """Metadata of a chat. Raises `TypeError` or `ValueError`, which names what is no JSON in it."""
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        msg = f"metadata= takes a mapping of JSON values, not {_kind(metadata)}"
        raise TypeError(msg)
    found = dict(metadata)
    level: list[tuple[str, object]] = [("metadata", found)]
    for _ in range(_DEEPEST):
        level = [inner for place, value in level for inner in _inside(place, value)]
        if not level:
            return cast(dict[str, Json], found)
    msg = f"metadata= is nested deeper than {_DEEPEST} levels"
    raise ValueError(msg)


def _inside(place: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                msg = f"{place} has the key {key!r}: keys of JSON are text, pass {str(key)!r}"
                raise TypeError(msg)
            yield f"{place}[{key!r}]", inner
    elif isinstance(value, list | tuple):
        yield from ((f"{place}[{n}]", inner) for n, inner in enumerate(value))
    else:
        _check_json(place, value)


def _check_json(place: str, value: object) -> None:
    if value is not None and not isinstance(value, str | int | float):
        msg = (
            f"{place} is {_kind(value)}, which JSON has not: pass text, a number, True, False, "
            "None, a list or a dictionary"
        )
        raise TypeError(msg)
    if isinstance(value, float) and not math.isfinite(value):
        msg = f"{place} is {value}, which JSON has not: pass None or {str(value)!r}"
        raise ValueError(msg)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        msg = f"{place} is a number of {value.bit_length()} bits, which is too long: pass text"
        raise ValueError(msg)


def check_kinds(given: Mapping[str, object], kinds: Mapping[str, type]) -> None:
    """Raise `TypeError` for those of the given values that are of another kind than theirs."""
    for name, kind in kinds.items():
        if name in given and not isinstance(given[name], kind):
            fix = f"pass a {kind.__name__}, or leave it out for the default"
            msg = f"{name}= takes a {kind.__name__}, not {_kind(given[name])}: {fix}"
            raise TypeError(msg)


def _shown(name: str) -> str:
    """An argument as a call shows it: of a function, or of a class, as in `Window(messages`."""
    return f"{name}=...)" if "(" in name else f"{name}="


def _plain(name: str) -> str:
    return name.rpartition("(")[2]


def _kind(value: object) -> str:
    return type(value).__name__ if value is not None else "None"
