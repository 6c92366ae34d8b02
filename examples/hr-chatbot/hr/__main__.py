"""`python -m hr`: opens everything, serves it, and closes it at Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import webbrowser

import uvicorn

from chatrecord import ChatRecordError

from .app import create_app
from .database import DEMO
from .hr import Hr, open_hr
from .settings import Settings, Unusable


def main() -> int:
    # What pydantic-ai says to those who build with it is not for those who start this.
    os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")
    # Whoever ends it otherwise, ends it as Ctrl-C does: everything is closed.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        settings = Settings()
        # First of all: who has another one running is told so before everything is loaded.
        with bound(settings) as address:
            asyncio.run(_serve(settings, address))
    except KeyboardInterrupt:
        pass
    except (ChatRecordError, Unusable) as error:
        print(f"hr: {error}", file=sys.stderr)
        return 1
    return 0


def bound(settings: Settings) -> socket.socket:
    """Its address, taken. It listens only when everything is ready."""
    address = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        address.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        address.close()
        msg = (
            f"Nothing can listen at {settings.host}:{settings.port} ({error}). Is another one "
            "running? Stop it, or set HR_PORT to another number"
        )
        raise Unusable(msg) from error
    return address


async def _serve(settings: Settings, address: socket.socket) -> None:
    async with open_hr(settings, say) as hr:
        server = uvicorn.Server(config_of(hr))
        serving = asyncio.create_task(server.serve([address]))
        while not (server.started or serving.done()):  # noqa: ASYNC110 - it has no event for it
            await asyncio.sleep(0.05)
        if server.started:
            _welcome(settings)
        await serving


def config_of(hr: Hr) -> uvicorn.Config:
    """How it is served."""
    return uvicorn.Config(
        create_app(hr),
        log_level="warning",
        server_header=False,
        # What a request says of its own address is believed of known proxies only.
        proxy_headers=bool(hr.settings.proxies),
        forwarded_allow_ips=hr.settings.proxies or None,
        # A stream that somebody still reads does not keep the server from stopping.
        timeout_graceful_shutdown=2,
    )


def say(line: str) -> None:
    """A step. What is read one after the other takes one line of a terminal."""
    if sys.stdout.isatty() and line.startswith("Reading "):
        print(f"\r\033[K{line}", end="", flush=True)
    else:
        print(f"\r\033[K{line}" if sys.stdout.isatty() else line, flush=True)


def _welcome(settings: Settings) -> None:
    address = f"http://{settings.host}:{settings.port}"
    print(f"\nThe HR chatbot is at {address}    (Ctrl-C stops it)\n")
    for email, _, role, _, password in DEMO if settings.is_demo else ():
        print(f"  {email:<20} {password:<12} {role}")
    print(flush=True)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
        webbrowser.open(address)


if __name__ == "__main__":
    sys.exit(main())
