"""What stands between an HTTP client and its network: it records, or replays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any

from chatrecord.text.redaction import redact

from .recording_file import Exchange, NotRecorded, RecordingFile, SentRequest
from .scrubbing import (
    KEPT_HEADERS,
    bytes_of,
    scrubbed_body,
    scrubbed_chunks,
    scrubbed_url,
    secrets_of,
)

_NOT_RECORDED_STATUS = 400
"""Which no client tries again."""
_OF_BYTES = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that tell of the bytes as they were sent; the stream has them decoded."""
_LEFT = {"kind": "ReadError", "message": "The reader had left here when this was recorded"}

Send = Callable[[Any], Awaitable[Any]]


class RecordingTransport:
    """Answers the requests of one or several clients, by the network or by the file.

    It knows httpx2 and httpx, whose classes are the same: it takes those of the request.
    """

    def __init__(self, file: RecordingFile, *, replays: bool) -> None:
        self._file = file
        self._replays = replays
        self.missing: NotRecorded | None = None
        """The first request that was not in the file."""

    async def handle(self, request: Any, send: Send) -> Any:
        """The answer to a request, which `send` gets from the network."""
        body = await request.aread()
        secrets = secrets_of(request.headers, str(request.url))
        kind = request.headers.get("content-type", "")
        sent = SentRequest(
            request.method,
            scrubbed_url(str(request.url), secrets),
            scrubbed_body(body, kind, secrets),
        )
        library = import_module(type(request).__module__.partition(".")[0])
        if self._replays:
            return self._replayed(sent, library)
        return await self._recorded(sent, request, send, secrets, library)

    def _replayed(self, sent: SentRequest, library: Any) -> Any:
        try:
            exchange = self._file.answer_to(sent)
        except NotRecorded as error:
            self.missing = self.missing or error
            told = {"error": {"message": str(error), "type": "not_recorded"}}
            return library.Response(_NOT_RECORDED_STATUS, json=told)
        if exchange.error is not None and not exchange.status:
            raise _error_of(exchange.error, library)
        stream = _stream_class(library)(_chunks_of(exchange, library))
        return library.Response(exchange.status, headers=exchange.headers, stream=stream)

    async def _recorded(
        self, sent: SentRequest, request: Any, send: Send, secrets: frozenset[str], library: Any
    ) -> Any:
        exchange = Exchange(sent)
        self._file.exchanges.append(exchange)
        request.headers["accept-encoding"] = "identity"  # a file for people to read
        try:
            answer = await send(request)
        except library.TransportError as error:
            exchange.error = _told(error, secrets)
            raise
        exchange.status = answer.status_code
        exchange.headers = {
            name: redact(answer.headers[name], *secrets)
            for name in KEPT_HEADERS
            if name in answer.headers
        }
        passed_on = [it for it in answer.headers.multi_items() if it[0].lower() not in _OF_BYTES]
        stream = _stream_class(library)(_kept(exchange, answer, secrets, library), answer.aclose)
        return library.Response(answer.status_code, headers=passed_on, stream=stream)


async def _kept(
    exchange: Exchange, answer: Any, secrets: frozenset[str], library: Any
) -> AsyncIterator[bytes]:
    """The chunks of an answer, which are kept however it ends."""
    chunks: list[bytes] = []
    exchange.error = dict(_LEFT)
    try:
        async for chunk in answer.aiter_bytes():
            chunks.append(chunk)
            yield chunk
        exchange.error = None
    except library.TransportError as error:
        exchange.error = _told(error, secrets)
        raise
    finally:
        succeeded = exchange.status < _NOT_RECORDED_STATUS
        exchange.chunks = scrubbed_chunks(chunks, succeeded=succeeded, secrets=secrets)


async def _chunks_of(exchange: Exchange, library: Any) -> AsyncIterator[bytes]:
    for chunk in exchange.chunks:
        yield bytes_of(chunk)
    if exchange.error is not None:
        raise _error_of(exchange.error, library)


def _told(error: Exception, secrets: frozenset[str]) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": redact(str(error), *secrets)}


def _error_of(told: dict[str, str], library: Any) -> Exception:
    kind = getattr(library, told["kind"], None)
    if not isinstance(kind, type) or not issubclass(kind, library.TransportError):
        kind = library.ReadError
    error: Exception = kind(told["message"])
    return error


def _stream_class(library: Any) -> Any:
    """A stream as the library takes one: it checks the class."""

    class Stream(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, chunks: Any, close: Callable[[], Awaitable[None]] | None = None) -> None:
            self._chunks, self._close = chunks, close

        def __aiter__(self) -> AsyncIterator[bytes]:
            chunks: AsyncIterator[bytes] = self._chunks
            return chunks

        async def aclose(self) -> None:
            await self._chunks.aclose()
            if self._close is not None:
                await self._close()

    return Stream
