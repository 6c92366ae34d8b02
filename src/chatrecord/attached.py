"""The files of a message, as its content names them."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha1, sha256
from typing import Any


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a message: stored here (pass its `hash` to `Chat.attachment`), or at a `url`.

    `hash` is the SHA-256 of its bytes, `size` their number; both are `None` for a `url`.
    """

    hash: str | None
    url: str | None
    media_type: str | None
    name: str | None
    size: int | None


def attached_in(value: Any) -> Iterator[Attached]:
    """The files in a value, as the LLM library dumps them or as they are referred to."""
    if isinstance(value, list):
        for item in value:
            yield from attached_in(item)
    if not isinstance(value, dict):
        return
    kind, media_type = str(value.get("kind")), value.get("media_type")
    if kind != "binary" and not kind.endswith("-url"):
        for item in value.values():
            yield from attached_in(item)
        return
    found: Attached | None
    url, data = value.get("url"), value.get("data")
    if isinstance(url, str):
        found = Attached(None, url, None, name_of(value, url.encode()), None)
    elif isinstance(data, dict):
        found = _referred(data)
    else:
        found = _inside(value, str(data or ""))
    if found is not None:
        yield replace(found, media_type=media_type if isinstance(media_type, str) else None)


def _referred(data: dict[str, Any]) -> Attached | None:
    hash_, size, name = data.get("attachment"), data.get("size"), data.get("name")
    if not isinstance(hash_, str) or not isinstance(size, int):
        return None
    return Attached(hash_, None, None, name if isinstance(name, str) else None, size)


def _inside(value: dict[str, Any], text: str) -> Attached | None:
    try:
        data = urlsafe_b64decode(text)
    except ValueError:
        return None
    return Attached(sha256(data).hexdigest(), None, None, name_of(value, data), len(data))


def name_of(value: dict[str, Any], source: bytes) -> str | None:
    """Its name, unless Pydantic AI derived it from its bytes or its URL."""
    name = value.get("identifier")
    made_up = sha1(source, usedforsecurity=False).hexdigest()[:6]
    return name if isinstance(name, str) and name not in ("", made_up) else None
