"""A value that fits a JSON schema."""

from __future__ import annotations

from typing import Any

from providers.wire import Body

PLAIN: dict[str, Any] = {
    "string": "A-1001",
    "integer": 3,
    "number": 12.5,
    "boolean": True,
    "null": None,
}
FORMATTED = {"date": "2026-11-22", "date-time": "2026-11-22T09:30:00Z"}


def sample(schema: Body, root: Body) -> Any:
    """The first value that comes to mind."""
    if "$ref" in schema:
        return sample(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return sample(schema[choice][0], root)
    kind = str(schema.get("type", "string")).lower()
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: sample(field, root) for name, field in fields.items()}
    if kind == "array":
        return [sample(schema["items"], root)]
    return FORMATTED.get(schema.get("format", ""), PLAIN[kind])
