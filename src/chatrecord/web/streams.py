"""A run as a response: read to its end, whatever that is, through an encoder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from starlette.responses import StreamingResponse

from chatrecord.chats.stream import ChatStream
from chatrecord.errors import ChatRecordError, RunInterrupted, RunStopped
from chatrecord.records import Chunk, Reply
from chatrecord.web.protocols.encoder import Encoder, Ending, Opening, Status

from .call_ids import LiveCalls
from .error_responses import SERVER_ENDS, UNKNOWN, is_ordinary, problem_of
from .json_bytes import HEARTBEAT
from .shutdown import ServerEnds, Shutdown

log = logging.getLogger("chatrecord")


NewTitle: TypeAlias = Callable[[], Awaitable[str | None]]
"""The title that the chat has got meanwhile; `None` if there is none in time."""


def streamed(
    stream: ChatStream,
    opening: Opening,
    encoder: Encoder,
    *,
    heartbeat: float,
    shutdown: Shutdown,
    title: NewTitle,
) -> StreamingResponse:
    """The response. Who leaves it early leaves the run alone."""
    body = _bytes(stream, opening, encoder, heartbeat=heartbeat, shutdown=shutdown, title=title)
    return StreamingResponse(body, headers=dict(encoder.headers))


async def _bytes(
    stream: ChatStream,
    opening: Opening,
    encoder: Encoder,
    *,
    heartbeat: float,
    shutdown: Shutdown,
    title: NewTitle,
) -> AsyncIterator[bytes]:
    seen, calls = opening.seen, LiveCalls()
    for call in seen.calls if seen else ():
        calls.ids.shown(call)
    with shutdown.awaited():
        yield encoder.start(opening) + (encoder.add(calls.shown(seen.results())) if seen else b"")
        try:
            while (chunks := await _next(stream, heartbeat, shutdown)) is None or chunks:
                if chunks is None:
                    yield HEARTBEAT
                elif news := encoder.add(calls.shown(seen.rest(chunks) if seen else chunks)):
                    yield news
            ending = ending_of(stream.reply)
            if ending.status == "complete" and (made := await title()) is not None:
                yield encoder.title(made)
        except ChatRecordError as error:
            ending = broken_off(error)
        except ServerEnds:
            ending = Ending("streaming", problem=SERVER_ENDS)
        except Exception as error:  # whatever it is, the client gets an ending
            log.exception("An answer could not be streamed: %s", type(error).__name__)
            ending = Ending("failed", problem=UNKNOWN)
        if ending.status in ("interrupted", "failed"):
            yield encoder.add(calls.interrupted())
        yield encoder.end(
            replace(ending, waiting=tuple(calls.ids.shown(call) for call in ending.waiting))
        )


async def _next(stream: ChatStream, heartbeat: float, shutdown: Shutdown) -> Sequence[Chunk] | None:
    """The next chunks; `None` if there were none for some time. Raises `ServerEnds`."""
    try:
        async with asyncio.timeout(heartbeat) as clock:
            with shutdown.watching(clock):
                return await stream.take()
    except TimeoutError:
        if not clock.expired():
            raise
        shutdown.check()
        return None


def ending_of(reply: Reply[object]) -> Ending:
    """The end of a run that went well."""
    return Ending(
        "parked" if reply.awaiting_approval else "complete",
        reply.finish_reason,
        reply.usage,
        None if reply.cost is None else float(reply.cost),
        reply.awaiting_approval,
    )


def broken_off(error: ChatRecordError) -> Ending:
    """The end of one that did not. One that was stopped has not failed."""
    status: Status = "interrupted" if isinstance(error, RunInterrupted) else "failed"
    problem = None if is_ordinary(error) else problem_of(error)
    return Ending(status, problem=problem, stopped=isinstance(error, RunStopped))
