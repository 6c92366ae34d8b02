"""Nothing is changed on behalf of another site's page."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .problems import problem

_READING = {"GET", "HEAD", "OPTIONS"}
_OURS = {"same-origin", "none"}


class SameOrigin:
    """Browsers say where a request comes from.

    The cookie alone would let a page of another port or a sister domain upload with a form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _READING:
            site = Headers(scope=scope).get("sec-fetch-site", "none")
            if site not in _OURS:
                refused = problem(403, "This was asked for by a page of another site")
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)
