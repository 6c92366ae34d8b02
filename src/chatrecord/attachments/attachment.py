"""Files that go with a question: read, named, and measured before anything is stored."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from chatrecord.errors import AttachmentTooLarge
from chatrecord.text.arguments import check_list

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
"""How files begin whose kind is beyond doubt."""

_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
_BY_NAME = {".md": "text/markdown", ".wav": "audio/wav", ".webp": "image/webp"}
"""What the tables of an operating system name otherwise, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file: its bytes, its path on this machine, or its URL.

        Attachment(data=png, media_type="image/png", name="chart.png")
        Attachment(path="report.pdf")
        Attachment(url="https://example.com/cat.jpg")

    Give exactly one of `data`, `path` and `url`. The default `media_type` is derived from the first
    bytes, or from the name. `name` is shown to people and, by some providers, to the model; the
    default for a path is its file name. Chats read files at once and pass URLs on. With `fetch`,
    Pydantic AI downloads the file for each request, and the provider never sees the URL.
    """

    data: bytes | None = field(default=None, repr=False)
    path: Path | str | None = None
    url: str | None = None
    media_type: str | None = None
    name: str | None = None
    fetch: bool = False

    def __post_init__(self) -> None:
        given = [it for it in (self.data, self.path, self.url) if it is not None]
        if len(given) != 1:
            msg = "An Attachment has exactly one of data=, path= and url="
            raise ValueError(msg)
        if self.data is not None and not isinstance(self.data, bytes):
            msg = f"Attachment(data=...) takes bytes, not {type(self.data).__name__}"
            raise TypeError(msg)
        texts = {"url": self.url, "media_type": self.media_type, "name": self.name}
        for name, value in texts.items():
            if value is not None and not isinstance(value, str):
                msg = f"Attachment({name}=...) takes text, not {type(value).__name__}"
                raise TypeError(msg)
        if self.path is not None and not isinstance(self.path, str | Path):
            msg = f"Attachment(path=...) takes a Path or text, not {type(self.path).__name__}"
            raise TypeError(msg)
        if self.url is not None and urlsplit(self.url).scheme not in ("http", "https"):
            msg = f"Attachment(url=...) takes an address that begins with https://, not {self.url}"
            raise ValueError(msg)
        if self.fetch and self.url is None:
            msg = "Attachment(fetch=True) is for an address: give its url="
            raise ValueError(msg)
        if self.media_type is not None and "/" not in self.media_type:
            msg = f"media_type= is such as 'image/png', not {self.media_type!r}"
            raise ValueError(msg)


Attachable: TypeAlias = Attachment | Path | str
"""What can be attached: an `Attachment`, a `Path`, or an address that begins with https://."""


async def read_attachments(given: Sequence[Attachable], limit: int | None) -> list[Attachment]:
    """Each as bytes or an address, with its media type. Raises what is wrong with the first."""
    if isinstance(given, str | Path | Attachment):
        msg = f"attachments= takes a list of files: [{given!r}]"
        raise TypeError(msg)
    check_list("attachments", given, "files")
    return [await _read(_attachment_of(each), limit) for each in given]


def check_size(name: str | None, size: int, limit: int | None) -> None:
    """Raise `AttachmentTooLarge` for a file above the limit."""
    if limit is not None and size > limit:
        msg = (
            f"{name or 'A file'} is {size:,} bytes long, and {limit:,} are allowed: raise "
            "Limits(attachment_bytes=...), or send less of it"
        )
        raise AttachmentTooLarge(msg)


def check_sizes(content: object, limit: int | None) -> None:
    """The same for every file in a prompt, as the LLM library holds it."""
    if isinstance(content, str) or not isinstance(content, Sequence):
        return
    for item in content:
        data = getattr(item, "data", None)
        if isinstance(data, bytes):
            check_size(getattr(item, "identifier", None), len(data), limit)


def _attachment_of(given: Attachable) -> Attachment:
    if isinstance(given, Attachment):
        return given
    if isinstance(given, Path):
        return Attachment(path=given)
    if isinstance(given, str) and given.startswith(("http://", "https://")):
        return Attachment(url=given)
    msg = (
        f"An attachment is an Attachment, a Path, or an address that begins with https://, not "
        f"{type(given).__name__}: use Path(...) for a file, Attachment(data=...) for bytes, and "
        "put what the LLM library has made into the prompt"
    )
    raise TypeError(msg)


async def _read(given: Attachment, limit: int | None) -> Attachment:
    if given.url is not None:
        there = PurePosixPath(unquote(urlsplit(given.url).path))
        name = given.name or there.name or None
        media_type = given.media_type or _known(_by_name(name), given.url)
        return replace(given, media_type=media_type, name=name)
    if given.data is None:
        assert given.path is not None
        path = Path(given.path)
        data = await asyncio.to_thread(_bytes_at, path, limit)
        name = given.name or path.name
    else:
        data, name = given.data, given.name
    label = name or "An attachment"
    if not data:
        msg = f"{label} is empty: there is nothing to send"
        raise ValueError(msg)
    check_size(name, len(data), limit)
    media_type = given.media_type or _known(_media_type_of(data, name), label)
    return Attachment(data=data, media_type=media_type, name=name)


def _bytes_at(path: Path, limit: int | None) -> bytes:
    """What is in a file, unless it is too large to be read at all."""
    check_size(path.name, path.stat().st_size, limit)
    return path.read_bytes()


def _known(media_type: str | None, what: str) -> str:
    if media_type is None:
        msg = (
            f"Unknown media type: {what}. Pass it, as in "
            "Attachment(..., media_type='application/pdf')"
        )
        raise ValueError(msg)
    return media_type


def _media_type_of(data: bytes, name: str | None) -> str | None:
    """By its first bytes, then by its name; what is neither, but is text, is text."""
    return _by_magic(data) or _by_name(name) or _by_text(data)


def _by_magic(data: bytes) -> str | None:
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12])
    return next((kind for start, kind in _MAGIC if data.startswith(start)), None)


def _by_name(name: str | None) -> str | None:
    if name is None:
        return None
    suffix = PurePosixPath(name).suffix.lower()
    return _BY_NAME.get(suffix) or mimetypes.guess_type(name)[0]


def _by_text(data: bytes) -> str | None:
    if b"\x00" in data:
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "text/plain"
