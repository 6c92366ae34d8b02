"""Reads JSON that is still arriving."""

from __future__ import annotations

from typing import cast

from pydantic_core import from_json

from chatrecord.records import Json

_FENCE = "```"


class PartialJson:
    """A JSON value that grows. With a `key`, the value is what stands there in an object."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key
        self.text = ""
        self.value: Json = None

    def add(self, delta: str) -> Json:
        """The value as far as it has arrived; the last one that could be read."""
        self.text += delta
        try:
            value = cast(Json, from_json(_bare(self.text), allow_partial="trailing-strings"))
        except (ValueError, RecursionError):
            return self.value
        if self.key is None:
            self.value = value
        elif isinstance(value, dict):
            self.value = value.get(self.key)
        return self.value


def partial_json(text: str, key: str | None = None) -> Json:
    """The value of this text, whole or cut off. `None` where there is none yet."""
    return PartialJson(key).add(text)


def _bare(text: str) -> str:
    """Without the fence of Markdown that some models put around JSON."""
    stripped = text.strip()
    if not stripped.startswith(_FENCE):
        return text
    return stripped.partition("\n")[2].partition(f"\n{_FENCE}")[0]
