"""Files of a question as pydantic-ai holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    UserContent,
    VideoUrl,
)

from chatrecord.attachments.attachment import Attachment

_URLS: dict[str, type[ImageUrl | AudioUrl | VideoUrl]] = {
    "image": ImageUrl,
    "audio": AudioUrl,
    "video": VideoUrl,
}


def attached(prompt: str | Sequence[object], files: Sequence[Attachment]) -> list[Any]:
    """A prompt with these files behind it. Providers refuse a blank text next to them."""
    said = ([prompt] if prompt.strip() else []) if isinstance(prompt, str) else list(prompt)
    return [*said, *map(_content, files)]


def _content(file: Attachment) -> UserContent:
    assert file.media_type is not None
    if file.data is not None:
        content = BinaryContent(file.data, media_type=file.media_type, identifier=file.name)
        return BinaryContent.narrow_type(content)
    assert file.url is not None
    kind = _URLS.get(file.media_type.partition("/")[0], DocumentUrl)
    return kind(
        file.url, media_type=file.media_type, identifier=file.name, force_download=file.fetch
    )
