"""Requests to the addresses of providers, sent to a server of ours instead.

Rows and prices depend on the address that a client was given.
"""

from __future__ import annotations

import ssl

import httpx2
import pytest

_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is encrypted, and loading the certificates takes longer than most of the tests."""


def here(url: httpx2.URL, server: httpx2.URL) -> httpx2.URL:
    """The same path at this server; some providers have more before it."""
    _, version, path = url.raw_path.partition(b"/v1")
    return server.copy_with(raw_path=version + path)


def reroute_everything(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Send what is for the addresses of providers to this server, whichever client sends it."""
    server, send = httpx2.URL(address), httpx2.AsyncHTTPTransport.handle_async_request

    async def rerouted(
        transport: httpx2.AsyncHTTPTransport, request: httpx2.Request
    ) -> httpx2.Response:
        if request.url.host not in ("127.0.0.1", "localhost"):
            request.url = here(request.url, server)
        return await send(transport, request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", rerouted)


class Rerouted(httpx2.AsyncHTTPTransport):
    """Sends each request to this server, whatever its address."""

    def __init__(self, address: str) -> None:
        super().__init__(verify=_NO_CERTIFICATES)
        self._server = httpx2.URL(address)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = here(request.url, self._server)
        return await super().handle_async_request(request)
