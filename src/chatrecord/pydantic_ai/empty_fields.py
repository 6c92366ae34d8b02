"""The fields of a message that say nothing: they are not stored.

They would be more than half of a short message. Pydantic AI reads each of them, where it is
missing, as what it was: `None`, or no tokens.
"""

from __future__ import annotations

from typing import Any

_NEEDED = ("content", "id")
"""Fields of parts that may be `None` and have no default, such as the result of a tool."""


def without_empty_fields(message: dict[str, Any]) -> dict[str, Any]:
    """The dumped message without them. A result, a question and metadata stay as they are."""
    filled: dict[str, Any] = _filled(message)
    filled["parts"] = [_filled(part) for part in message["parts"]]
    if "usage" in filled:
        filled["usage"] = {name: used for name, used in filled["usage"].items() if used}
    return filled


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None or name in _NEEDED}
