"""No body is read beyond what a document may have."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_DOCUMENT = 5 * 2**20
_FORM = 64 * 2**10
"""What a form around a document takes at most."""


def too_large() -> HTTPException:
    return HTTPException(413, f"That is too large: a document has {LARGEST_DOCUMENT >> 20} MB")


class SizeLimit:
    """Counts what comes, whatever its headers say. FastAPI itself reads a body of any length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_DOCUMENT + _FORM:
                raise too_large()
            return message

        await self._app(scope, counted, send)
