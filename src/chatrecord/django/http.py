"""Django's requests for Starlette's endpoints, and their responses for Django."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatrecord.chats.sync import wait
from chatrecord.web.shutdown import signals

from .background import in_background
from .caller import Caller

_PIECE = 65_536
"""Bytes of a body that are read at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Django's request, and the thread that it is answered in."""

    request: HttpRequest
    caller: Caller


def request_of(request: HttpRequest, parameters: dict[str, str], caller: Caller) -> Request:
    """The request as Starlette has it."""
    scope = {
        "type": "http",
        "method": request.method,
        "scheme": request.scheme,
        "root_path": "",
        "path": f"/{'/'.join(filter(None, request.path.split('/')))}",
        "path_params": parameters,
        "query_string": request.META.get("QUERY_STRING", "").encode("latin-1"),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers.items()
        ],
        "server": None,
        "chatrecord.django": Asked(request, caller),
    }
    return Request(scope, partial(_receive, request, caller))


def asked_by(request: Request) -> Asked:
    """What Starlette's request was made of."""
    asked: Asked = request.scope["chatrecord.django"]
    return asked


async def _receive(request: HttpRequest, caller: Caller) -> dict[str, object]:
    try:
        piece = await caller.run(lambda: request.read(_PIECE))
    except UnreadablePostError:
        return {"type": "http.disconnect"}
    return {"type": "http.request", "body": piece, "more_body": bool(piece)}


def response_of(response: Response, request: HttpRequest) -> HttpResponseBase:
    """The response as Django has it: it streams in the way of the server, WSGI or ASGI."""
    if isinstance(response, StreamingResponse):
        body: Any = response.body_iterator
        read = _pieces_for_asgi if isinstance(request, ASGIRequest) else _pieces
        made: HttpResponseBase = StreamingHttpResponse(read(body), status=response.status_code)
        made.headers["content-encoding"] = "identity"  # GZipMiddleware would hold it up
    else:
        made = HttpResponse(bytes(response.body), status=response.status_code)
        del made.headers["content-type"]
    for name, value in response.headers.items():
        if name != "content-length":
            made.headers[name] = value
    return made


def _pieces(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    try:
        while (piece := wait(_next(body))) is not None:
            yield piece
    finally:
        wait(_close(body))


async def _pieces_for_asgi(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    signals.watch()  # in the thread of the server, whose signals end the streams
    try:
        while (piece := await in_background(_next(body))) is not None:
            yield piece
    finally:
        await in_background(_close(body))


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    return await anext(body, None)


async def _close(body: Any) -> None:
    await body.aclose()
