"""The receiver on the page about events takes what the relay sends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from chatrecord.events import NewEvent
from chatrecord.sqlalchemy import Database
from chatrecord.webhooks import relay

from .pages import ROOT, blocks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "B" * 32


async def test_the_receiver_takes_what_is_signed_with_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    page = ROOT / "docs" / "how-to" / "events.md"
    (shown,) = (block for block in blocks(page, "python") if "standardwebhooks" in block.source)
    names: dict[str, Any] = {}
    exec(shown.source, names)
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    server = uvicorn.Server(uvicorn.Config(names["app"], port=0, log_level="critical"))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    to = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hooks"
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}") as db:
        await db.create_tables()
        await db.store.add_event(NewEvent("chat.deleted", None))
        await relay(db, to, secrets=[OTHER], once=True)
        refused = capsys.readouterr().out
        await relay(db, to, secrets=[SECRET], once=True, name="again")
        (event,) = [event async for event in db.events(follow=False)]
    server.should_exit = True
    await serving

    assert refused == ""
    assert capsys.readouterr().out == f"evt_{event.uuid.hex} chat.deleted None\n"
