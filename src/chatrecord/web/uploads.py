"""Files in what a page sends: within the body, or kept in this chat already."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from chatrecord.attachments.attachment import Attachment

from .bodies import invalid, optional_text

MOST = 20
"""Files in one message."""

_DATA = re.compile(r"data:(?P<type>[^;,]*)(?:;[^,]*?)??(?P<base64>;base64)?,", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_KEPT = re.compile(r"/files/(?P<hash>[0-9a-f]{64})(?:$|[?#])")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the same chat, by its hash: a question that is edited keeps its files so."""

    hash: str


Upload: TypeAlias = Attachment | Kept


def upload_of(part: dict[str, object]) -> Upload:
    """A file part of the AI SDK's: `url` holds the file itself, or is where these routes keep it.

    Other URLs are refused: clients must not let this server, or a provider, fetch them.
    """
    url = part.get("url")
    if not isinstance(url, str):
        raise invalid("A file part needs its 'url'.")
    if kept := _KEPT.search(url[-300:]):
        return Kept(kept["hash"])
    found = _DATA.match(url)
    if found is None:
        raise invalid("The 'url' of a file part has to be a data: URL.")
    written = url[found.end() :]
    data = from_base64(written) if found["base64"] else _from_percents(written)
    name = optional_text(part, "filename")
    return attachment(data, optional_text(part, "mediaType") or found["type"], name)


def attachment(data: bytes, media_type: object, name: str | None) -> Attachment:
    """A file with its media type, as the page tells it."""
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise invalid("A file needs its media type, such as image/png.")
    if not data:
        raise invalid("A file is empty: there is nothing to send.")
    return Attachment(data=data, media_type=media_type.lower(), name=name or None)


def from_base64(text: str) -> bytes:
    """What is written so."""
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise invalid("A file is not valid base64.") from error


def _from_percents(text: str) -> bytes:
    try:
        return unquote_to_bytes(text)
    except UnicodeEncodeError as error:
        raise invalid("The 'url' of a file part has characters that no file has.") from error
