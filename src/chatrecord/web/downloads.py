"""Files of a chat, as a page may have them: shown where that is safe, and saved otherwise."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from chatrecord.attachments.attachment import Attachment

_SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}
"""What a browser shows without running anything that is in it."""


def downloaded(file: Attachment) -> Response:
    """The response. What a user has sent as a page or a picture with scripts is no page of ours."""
    assert file.data is not None
    media_type = file.media_type or ""
    is_shown = media_type in _SHOWN or media_type.startswith(("audio/", "video/"))
    name = f"; filename*=utf-8''{quote(file.name, safe='', errors='replace')}" if file.name else ""
    return Response(
        file.data,
        headers={
            "content-type": media_type if is_shown else "application/octet-stream",
            "content-disposition": f"{'inline' if is_shown else 'attachment'}{name}",
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
            "cache-control": "private, max-age=31536000, immutable",
        },
    )
