"""The receiver of webhooks: one POST for an attempt, with a time limit and without redirects."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import time
from urllib.parse import SplitResult, urlsplit

from chatrecord.errors import ConfigurationError
from chatrecord.events import Event

from .signature import key_of, signatures

_PORTS = {"http": 80, "https": 443}
_LONGEST_HEAD = 64 * 1024
_OK, _NOT_OK = 200, 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attempt has come to: the status of the answer, or why there is none."""

    status: int | None
    problem: str | None = None
    retry_after: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the event. A redirect is no such answer."""
        return self.status is not None and _OK <= self.status < _NOT_OK

    def __str__(self) -> str:
        return self.problem or f"HTTP {self.status}"


class Endpoint:
    """An address that gets events, and the secrets that its requests are signed with.

    `timeout` is in seconds, for a whole attempt.
    """

    def __init__(self, url: str, secrets: Sequence[str], timeout: float) -> None:
        self._url = _checked(url)
        self._timeout = timeout
        self._keys = [key_of(secret) for secret in secrets]
        if not self._keys:
            msg = "A webhook is signed: give at least one secret"
            raise ConfigurationError(msg)
        self._tls = ssl.create_default_context() if self._url.scheme == "https" else None

    async def send(self, event: Event) -> Answer:
        """Send an event once."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(self._request(event))
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout:g} s")
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
            return Answer(None, f"{type(error).__name__}")

    def _request(self, event: Event) -> bytes:
        body, name = body_of(event), f"evt_{event.uuid.hex}"
        seconds = int(time())
        headers = {
            "Host": self._url.netloc.encode("idna").decode(),
            "User-Agent": "chatrecord",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            "webhook-id": name,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signatures(self._keys, name, seconds, body),
        }
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        lines = [f"POST {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    async def _post(self, request: bytes) -> Answer:
        host, port = self._url.hostname, self._url.port or _PORTS[self._url.scheme]
        reader, writer = await asyncio.open_connection(
            host, port, ssl=self._tls, limit=_LONGEST_HEAD
        )
        try:
            writer.write(request)
            await writer.drain()
            while True:
                answer = _read(await reader.readuntil(b"\r\n\r\n"))
                if answer.status is None or answer.status >= _OK:  # what comes before says nothing
                    return answer
        finally:
            writer.transport.abort()  # the rest of the answer is of no interest


def body_of(event: Event) -> bytes:
    """The body of a webhook, the same in each attempt."""
    payload = {
        "type": event.type,
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": event.id,
            "chat_id": None if event.chat_id is None else str(event.chat_id),
            "run_id": None if event.run_id is None else str(event.run_id),
            **event.data,
        },
    }
    return json.dumps(payload, separators=(",", ":")).encode("ascii")


def _checked(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        found.port  # noqa: B018 - raises for one that is no number
        is_valid = found.scheme in _PORTS and found.hostname and not found.username
    except ValueError:
        is_valid = False
    if not is_valid or not url.isascii() or any(each.isspace() for each in url):
        msg = "A webhook goes to an address such as https://example.com/hooks, without a password"
        raise ConfigurationError(msg)
    return found


def _read(head: bytes) -> Answer:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        return Answer(None, "an answer that is not HTTP")
    headers: Mapping[str, str] = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    pause = headers.get("retry-after", "")
    return Answer(int(rest[:3]), retry_after=float(pause) if pause.isdecimal() else None)
