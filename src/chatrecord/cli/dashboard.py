"""`chatrecord dashboard`: the dashboard of a database, for the browser of this machine."""

from __future__ import annotations

import asyncio
import secrets
import socket
import webbrowser
from argparse import Namespace
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.database import ReadyMade
from chatrecord.web.dashboard import dashboard

from .database import existing_database, shown
from .reference import scope_of
from .screen import Screen

HOST = "127.0.0.1"
"""Nobody on another machine reaches it."""

_GRACE = 2
"""Seconds that live answers on the page have to end."""


def run(arguments: Namespace) -> int:
    """Serve the dashboard until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments))
    return 0


async def _serve(arguments: Namespace) -> None:
    async with existing_database(arguments.db) as db:
        token = secrets.token_urlsafe(24)
        listening = _listening(arguments.port)
        address = f"http://{HOST}:{listening.getsockname()[1]}/{token}/"
        print(address, flush=True)
        Screen().note(f"The dashboard of {shown(arguments.db)}. Ctrl-C ends it")
        if arguments.open:
            await asyncio.to_thread(webbrowser.open, address)
        config = uvicorn.Config(
            create_app(db, token, arguments.user),
            log_level="warning",
            timeout_graceful_shutdown=_GRACE,
        )
        # A task of its own: it ends with the signal once more, which would cut off `db.close()`.
        await asyncio.create_task(uvicorn.Server(config).serve([listening]))


def create_app(db: Database[ReadyMade], token: str, user: str | None) -> ASGIApp:
    """The dashboard below a token that only this terminal knows.

    Any page that is open in the browser can send requests to this machine, also under a name of its
    own that leads here: without the token, and under another name, they find nothing.
    """

    def allowed(_request: Request) -> object:
        return scope_of(user) or True

    app = Starlette(
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])]
    )
    app.mount(f"/{token}", dashboard(db, allowed=allowed))
    return app


def _listening(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # a browser that comes before the server has started waits
    except OSError as error:
        listening.close()
        msg = f"Port {port} cannot be used: {error.strerror}. Choose another with --port"
        raise ConfigurationError(msg) from error
    return listening
