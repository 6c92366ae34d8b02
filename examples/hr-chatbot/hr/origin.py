"""Nothing is changed on behalf of another site's page."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .problems import problem
from .settings import Settings

_READING = {"GET", "HEAD", "OPTIONS"}
_OURS = {"same-origin", "none"}
_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}

_UNKNOWN_ADDRESS = "The application does not know this address of its own: set HR_URL to it"
_OTHER_SITE = "This was asked for by a page of another site"
_NO_ORIGIN = "A request with a cookie needs an Origin: the address of this application"


class Origin(NamedTuple):
    """Where a page comes from."""

    scheme: str
    host: str
    port: int


def origin_of(url: str) -> Origin | None:
    """The origin of an address; `None` for what is none, such as `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


class SameOrigin:
    """Browsers say where a request comes from; what does not come from here changes nothing.

    The cookie alone would let a page of another port or a sister domain upload with a form.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._told = origin_of(settings.url)
        self._is_local = settings.host in _THIS_MACHINE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _READING:
            refusal = self._refusal(Headers(scope=scope), scope["scheme"])
            if refusal is not None:
                await problem(403, refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers, scheme: str) -> str | None:
        host = headers.get("host", "")
        if self._is_foreign_name(host):
            return _UNKNOWN_ADDRESS
        if site := headers.get("sec-fetch-site"):
            return None if site in _OURS else _OTHER_SITE
        # Browsers leave that one out on plain HTTP, but not these two.
        if page := headers.get("origin") or headers.get("referer"):
            return None if self._is_here(origin_of(page), host, scheme) else _OTHER_SITE
        # A program may leave all three out, but then it has no rights that a browser keeps for it.
        return _NO_ORIGIN if "cookie" in headers else None

    def _is_foreign_name(self, host: str) -> bool:
        """Whether another site may have had its own name point to this machine."""
        asked = origin_of(f"http://{host}")
        is_ours = asked is not None and asked.host in _THIS_MACHINE
        return self._is_local and self._told is None and not is_ours

    def _is_here(self, page: Origin | None, host: str, scheme: str) -> bool:
        if page is None or self._told is not None:
            return page is not None and page == self._told
        # With HTTPS in front, the server itself may know of HTTP only: never the other way round.
        is_downgrade = scheme == "https" and page.scheme == "http"
        return page == origin_of(f"{page.scheme}://{host}") and not is_downgrade
