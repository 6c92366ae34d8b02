"""The page: its files, and the headers that let it load nothing from anywhere else."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from chatrecord.web.error_responses import NOT_FOUND, BadRequest

FOLDER = Path(__file__).parent / "assets"

HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Those of all responses, unless a response has its own."""

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def asset(request: Request, name: str) -> Response:
    """A file of the page, or a 304 where the browser has it."""
    found = _files().get(name)
    if found is None:
        raise BadRequest(NOT_FOUND.status, NOT_FOUND.code, "There is nothing here.")
    content, tag = found
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    headers["content-type"] = _MEDIA_TYPES[Path(name).suffix]
    return Response(content, headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    contents = {
        path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in _MEDIA_TYPES
    }
    return {
        name: (content, f'"{sha256(content).hexdigest()[:32]}"')
        for name, content in contents.items()
    }
