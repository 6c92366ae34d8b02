"""Records as JSON for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from chatrecord.records import Json

LONGEST = 20_000
"""Characters of a text that are sent with a page. The whole is in the export."""


def plain(value: object) -> Json:
    """This value as JSON: an id or a moment as text, money as text, so that no digit is lost."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return _told(value)


def _told(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def shortened(value: Json) -> Json:
    """The same with its long texts cut off, each with how long it is."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}\n... {len(value) - LONGEST:,} more characters"
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return value


def object_of(record: object) -> dict[str, Any]:
    """A record as an object, its long texts cut off."""
    return cast(dict[str, Any], shortened(plain(record)))
