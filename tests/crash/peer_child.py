"""Another process on the same chat: it does what it is told, and tells what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any

from chatrecord import ChatRecordError
from chatrecord.errors import ChatBusy, RunError
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, meet, say


@dataclass(frozen=True)
class Send:
    """A question, and how its answer comes: its end waits for `release` where there is one."""

    chat_id: str
    question: str
    pieces: tuple[str, ...]
    pause: float = 0
    held: bool = False
    on_busy: str = "reject"
    key: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    text: str
    run_id: str
    error: str | None = None
    sent: bool = False
    """Whether the LLM was asked here."""


def run(url: str, pipe: Connection, release: Event) -> None:
    """The child's whole life."""
    asyncio.run(_run(url, pipe, release))


async def _run(url: str, pipe: Connection, release: Event) -> None:
    async with Database(url) as db:
        pipe.send("ready")
        while (send := await asyncio.to_thread(pipe.recv)) is not None:
            pipe.send(await asked(db, send, release))


async def asked(db: Database, send: Send, release: Event) -> Outcome:
    """Send it, and wait for its end."""

    async def released() -> None:
        while not release.is_set():  # noqa: ASYNC110 - another process sets it
            await asyncio.sleep(0.005)

    events = [say(*send.pieces, pause=send.pause), *([meet(released)] if send.held else [])]
    script = Script(events)
    options: Any = {"on_busy": send.on_busy}
    chat = await load_chat(db, script, send.chat_id, **options)
    try:
        reply = await chat.ask(send.question, idempotency_key=send.key)
    except (ChatBusy, RunError) as error:
        text = getattr(error, "text", "")
        return Outcome(text, str(error.run_id), type(error).__name__, bool(script.requests))
    except ChatRecordError as error:
        return Outcome(str(error), "", type(error).__name__, bool(script.requests))
    return Outcome(reply.text, str(reply.run_id), None, bool(script.requests))
