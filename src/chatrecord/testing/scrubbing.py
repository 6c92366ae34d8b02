"""What of a request and its answer may be kept in a file: everything but secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from chatrecord.records import Json
from chatrecord.text.redaction import redact

REDACTED = "[redacted]"
KEPT_HEADERS = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-request-id",
    "request-id",
)
"""Of answers. Others, such as cookies and names of accounts, are left out."""

_SECRET_NAME = re.compile(
    r"^(?:.*[_-])?(?:api[_-]?key|key|authorization|auth|token|secret|password|cookie|signature|sig"
    r"|credential|security)$",
    re.IGNORECASE,
)
"""Names of headers and query parameters that hold a secret."""

_SECRET_FIELD = re.compile(
    r"^(?:.*[_-])?(?:api[_-]?key|authorization|access[_-]?token|refresh[_-]?token|auth[_-]?token"
    r"|client[_-]?secret|secret[_-]?key|password)$",
    re.IGNORECASE,
)
"""Names in bodies. They are fewer: `token` and `key` are words of answers and tools."""

_CERTAIN_KEY = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai)-[\w-]{20,}|AIza[\w-]{30,})", re.ASCII)
"""What is a key for sure: a good answer is changed for nothing less."""

_SHORTEST = 8
_BOUNDARY = re.compile(r"boundary=\"?([^\";,]+)", re.IGNORECASE)


def secrets_of(headers: Mapping[str, str], url: str) -> frozenset[str]:
    """The secrets that a request carries in its headers, in its query and before its host."""
    given = [value for name, value in headers.items() if _SECRET_NAME.match(name)]
    parts = urlsplit(url)
    given += [value for name, value in parse_qsl(parts.query) if _SECRET_NAME.match(name)]
    given += [parts.username or "", parts.password or ""]
    words = {word for value in given for word in (value, value.rpartition(" ")[2])}
    return frozenset(word for word in words if len(word) >= _SHORTEST)


def scrubbed_url(url: str, secrets: Iterable[str]) -> str:
    """The address without user, password and the values of secret parameters."""
    parts = urlsplit(url)
    query = [
        (name, REDACTED if _SECRET_NAME.match(name) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(query))
    return redact(urlunsplit(address), *longest_first(secrets))


def scrubbed_body(body: bytes, content_type: str, secrets: Iterable[str]) -> Json:
    """The body of a request as JSON, or as text; what is neither is its text in Latin-1."""
    known = longest_first(secrets)
    try:
        return scrubbed_json(json.loads(body), known) if body else None
    except ValueError:
        text = body.decode("latin-1")
    boundary = _BOUNDARY.search(content_type)
    if boundary is not None:  # made anew for each request
        text = text.replace(boundary[1], "boundary")
    return redact(text, *known)


def scrubbed_json(value: Json, secrets: tuple[str, ...]) -> Json:
    """The value with every text redacted, and the values of fields that hold secrets left out."""
    if isinstance(value, str):
        return redact(value, *secrets)
    if isinstance(value, list):
        return [scrubbed_json(item, secrets) for item in value]
    if isinstance(value, dict):
        return {
            name: REDACTED
            if isinstance(item, str) and _SECRET_FIELD.match(name)
            else scrubbed_json(item, secrets)
            for name, item in value.items()
        }
    return value


def scrubbed_chunks(chunks: list[bytes], *, succeeded: bool, secrets: Iterable[str]) -> list[Json]:
    """The chunks as texts, and as `{"hex": ...}` where one is no text.

    Where a secret lies across chunks, they are one chunk.
    """
    known = longest_first(secrets)
    whole = b"".join(chunks)
    if _has(whole, known) and not any(_has(chunk, known) for chunk in chunks):
        chunks = [whole]
    scrubbed = [_scrubbed_chunk(chunk, succeeded=succeeded, secrets=known) for chunk in chunks]
    if _has(b"".join(bytes_of(chunk) for chunk in scrubbed), known):
        scrubbed = [_scrubbed_chunk(whole, succeeded=succeeded, secrets=known)]
    return cast("list[Json]", scrubbed)


def _scrubbed_chunk(chunk: bytes, *, succeeded: bool, secrets: tuple[str, ...]) -> Any:
    try:
        text = chunk.decode()
    except UnicodeDecodeError:
        for secret in secrets:
            chunk = chunk.replace(secret.encode(), REDACTED.encode())
        return {"hex": chunk.hex()}
    if not succeeded:
        return redact(text, *secrets)
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return _CERTAIN_KEY.sub(REDACTED, text)


def bytes_of(chunk: Any) -> bytes:
    """The bytes of a chunk, as it is kept."""
    return chunk.encode() if isinstance(chunk, str) else bytes.fromhex(chunk["hex"])


def longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    """So that none is left of one that contains another."""
    return tuple(sorted(secrets, key=len, reverse=True))


def _has(data: bytes, secrets: Iterable[str]) -> bool:
    return any(secret.encode() in data for secret in secrets)
