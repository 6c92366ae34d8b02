"""Files in the dumps of the LLM library: taken out to be stored separately, and put back.

A file is `{"kind": "binary", "media_type": ..., "data": "<base64>", ...}`. Where it was taken out,
`data` is `{"attachment": "<SHA-256>", "size": ..., "name": ...}` instead. Whatever merely looks so
is wrapped, so that any JSON value comes back as it was.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from weakref import WeakValueDictionary

from chatrecord.attached import name_of
from chatrecord.records import Json

REFERENCE = "attachment"
"""A word in whatever `taken_out` has put in the place of a file."""

_HASH = 64
"""Digits of a SHA-256."""


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of a file, and what is known of them. `hash` is their SHA-256 in hexadecimal."""

    hash: str
    data: bytes = field(repr=False)
    media_type: str
    name: str | None = None

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.data)


class EncodedFile(str):
    """The base64 of a file, which remembers the bytes: nothing has to decode it."""

    __slots__ = ("__weakref__", "_hash", "data")
    data: bytes
    _hash: str | None

    @classmethod
    def of(cls, data: bytes) -> EncodedFile:
        """The base64 of these bytes; the same object as long as anybody has it."""
        known = _encoded.get(id(data))
        if known is None:
            known = cls(encoded(data))
            known.data, known._hash = data, None
            _encoded[id(data)] = known
        return known

    @property
    def hash(self) -> str:
        """The SHA-256 of the bytes in hexadecimal."""
        if self._hash is None:
            self._hash = digest(self.data)
        return self._hash


_encoded: WeakValueDictionary[int, EncodedFile] = WeakValueDictionary()
"""By the ids of their bytes, which live as long as these do."""

_PIECE = 3 * 2**20
"""Bytes that are encoded at a time: a file takes less memory then. Three bytes are four letters."""


def encoded(data: bytes) -> str:
    """The base64 of these bytes, as the LLM library writes it."""
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    return "".join(urlsafe_b64encode(piece).decode("ascii") for piece in pieces)


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A file of an export, next to the messages that refer to it.

    `data` is `None` if the file was deleted from its store.
    """

    hash: str
    media_type: str
    name: str | None
    size: int
    data: bytes | None = field(repr=False)


def exported(value: Json) -> Json:
    """A value that holds its files as an export has it: whatever looks like a reference is none."""
    return taken_out(value, None)


def digest(data: bytes) -> str:
    """What a file is known by."""
    return sha256(data).hexdigest()


def taken_out(
    value: Json, found: MutableMapping[str, File] | None, *, is_stored: bool = False
) -> Json:
    """The value with references in the place of its files, which are `found` then.

    Without a place for them they stay; only what looks like a reference is wrapped. A value that
    `is_stored` may have references of ours in it, which are left as they are.
    """

    def refer(value: dict[str, Json]) -> Json:
        data = value["data"]
        if isinstance(data, dict):
            is_ours = is_stored and _is_reference(data)
            return value if is_ours else {**value, "data": {"attachment": None, "was": data}}
        file = None if found is None else _file_in(value)
        if found is None or file is None:
            return value
        found.setdefault(file.hash, file)
        reference: Json = {"attachment": file.hash, "size": len(file.data), "name": file.name}
        return {**value, "data": reference}

    return _changed(value, refer)


def put_back(value: Json, data: Mapping[str, bytes]) -> Json:
    """Restores the value for `taken_out`. A missing file is replaced by a text."""

    def restore(value: dict[str, Json]) -> Json:
        reference = value["data"]
        if not isinstance(reference, dict) or not _is_reference(reference):
            return value
        wanted = reference["attachment"]
        if wanted is None:
            return {**value, "data": reference["was"]}
        if wanted not in data:
            return f"[The file {value.get('identifier')} ({value['media_type']}) is no longer kept]"
        return {**value, "data": encoded(data[str(wanted)])}

    return _changed(value, restore)


def in_words(value: Json) -> Json:
    """The value with a short text in the place of each file, for display."""
    return _changed(value, lambda it: f"[The file {it.get('identifier')} ({it['media_type']})]")


def referred_to(value: Json) -> Iterator[str]:
    """The hashes of the files that were taken out of a value."""
    if isinstance(value, list):
        for item in value:
            yield from referred_to(item)
    elif isinstance(value, dict) and _is_file(value):
        reference = value["data"]
        if isinstance(reference, dict) and _is_reference(reference) and reference["attachment"]:
            yield str(reference["attachment"])
    elif isinstance(value, dict):
        for item in value.values():
            yield from referred_to(item)


def _changed(value: Json, change: Callable[[dict[str, Json]], Json]) -> Json:
    """The value with each of its files changed; the very same where there are none."""
    if not _holds_any(value):
        return value
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    assert isinstance(value, dict)
    if _is_file(value):
        return change(value)
    return {key: _changed(item, change) for key, item in value.items()}


def _holds_any(value: Json) -> bool:
    """Whether a file is in it: most messages are text, and are not copied."""
    if isinstance(value, dict):
        return _is_file(value) or any(map(_holds_any, value.values()))
    return isinstance(value, list) and any(map(_holds_any, value))


def _is_file(value: dict[str, Json]) -> bool:
    return (
        value.get("kind") == "binary"
        and isinstance(value.get("media_type"), str)
        and isinstance(value.get("data"), str | dict)
    )


def _is_reference(data: dict[str, Json]) -> bool:
    """Whether `taken_out` has put this in the place of a file, or of what merely looks so."""
    wanted = data.get("attachment")
    if wanted is None:
        return data.keys() == {"attachment", "was"}
    is_hash = isinstance(wanted, str) and len(wanted) == _HASH
    return is_hash and data.keys() == {"attachment", "size", "name"}


def _file_in(value: dict[str, Json]) -> File | None:
    """The file, if its base64 would come back the same."""
    text = value["data"]
    if isinstance(text, EncodedFile):
        name = name_of(value, text.data)
        return File(text.hash, text.data, str(value["media_type"]), name)
    text = str(text)
    try:
        data = urlsafe_b64decode(text)
    except ValueError:
        return None
    if encoded(data) != text:
        return None
    return File(digest(data), data, str(value["media_type"]), name_of(value, data))
