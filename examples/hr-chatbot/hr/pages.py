"""The front end as it was built, and the headers that keep a browser careful."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Over plain HTTP a browser looks up the hosts of links that nobody has clicked, and a name can
    # carry out what stands in a chat.
    "x-dns-prefetch-control": "off",
}

_NOT_BUILT = (
    "<!doctype html><title>HR chatbot</title><p>The front end is not built yet: run "
    "<code>npm ci && npm run build</code> in <code>web/</code>. The routes under "
    "<code>/api</code> are there."
)


class CarefulHeaders:
    """Plain ASGI, so that a stream passes through as it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    _keep_private(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _keep_private(headers: MutableHeaders) -> None:
    """On a computer that several people use, nothing stays behind in a cache, files neither."""
    is_stream = "no-transform" in headers.get("cache-control", "")
    headers["cache-control"] = "no-store, no-transform" if is_stream else "no-store"
    headers["vary"] = "cookie"


def add_pages(app: FastAPI, folder: Path) -> None:
    """Serve the files of this folder, and its index.html for every other path of the front end."""
    files = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> Response:
        if path.startswith("api/"):
            raise HTTPException(404, "There is no such route")
        if path in files:  # looked up, never joined: no path leads out of the folder
            return FileResponse(files[path], headers=_caching(path))
        if "index.html" in files:
            return FileResponse(files["index.html"], headers=_caching("index.html"))
        return HTMLResponse(_NOT_BUILT)


def _caching(path: str) -> dict[str, str]:
    """What Vite builds has its content's hash in its name."""
    is_hashed = path.startswith("assets/")
    return {"cache-control": "public, max-age=31536000, immutable" if is_hashed else "no-cache"}
