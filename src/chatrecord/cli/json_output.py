"""What a command found, as JSON for other programs: the fields of the records, by their names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal

from chatrecord.records import Json


def print_json(value: object) -> None:
    """Print it. Ids, times and amounts of money are text; what is unknown is null."""
    # ASCII, as in an export: whatever is in a text, nothing of it steers a terminal.
    print(json.dumps(json_of(value), indent=2))


def json_of(value: object) -> Json:
    """The same as a value of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): json_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_of(item) for item in value]
    return _atom_of(value)


def _atom_of(value: object) -> Json:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    # The rest has a text: ids, numbers that JSON lacks, types of the user's own.
    return value.isoformat() if isinstance(value, date) else str(value)
