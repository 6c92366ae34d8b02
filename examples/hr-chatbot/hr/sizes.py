"""No body is read beyond what a document may have."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_DOCUMENT = 5 * 2**20
LARGEST_QUESTION = 200_000
"""Bytes of a question, as a page sends it."""

_FORM = 64 * 2**10
"""What a form around a document takes at most."""


LARGEST_OTHER = 16 * 2**10
"""Anybody can have these read, such as what somebody signs in with."""


def too_large(most: int) -> HTTPException:
    told = f"{most >> 20} MB" if most >= 2**20 else f"{most >> 10} KB"
    return HTTPException(413, f"That is too large: at most {told} are read")


class SizeLimit:
    """Counts what comes, whatever its headers say. FastAPI itself reads a body of any length.

    Nothing is unpacked: a compressed body stays the bytes that it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, most = 0, _most_of(scope.get("path", ""))

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise too_large(most)
            return message

        await self._app(scope, counted, send)


def _most_of(path: str) -> int:
    # The routes of chats count by themselves, and stop sooner.
    is_large = f"{path}/".startswith(("/api/documents/", "/api/chats/"))
    return LARGEST_DOCUMENT + _FORM if is_large else LARGEST_OTHER
