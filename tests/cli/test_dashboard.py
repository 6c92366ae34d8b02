"""`chatrecord dashboard` serves the chats of a file to the browser of this machine, and to nobody else."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

from .conftest import Run, Start


async def made(database: Path) -> None:
    async with Database(f"sqlite:///{database}") as db:
        await db.create_tables()
        for user in ("ann", "bob"):
            chat = await create_chat(db, Script([say("Yes.")]), user_id=user, title=f"Of {user}")
            await chat.ask("Well?")


async def test_the_dashboard_is_for_who_has_its_address(start: Start, database: Path) -> None:
    await made(database)
    process = start("dashboard", "--no-open")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    async with httpx.AsyncClient() as client:
        page = await client.get(address)
        assert "assets/page.js" in page.text
        chats = (await client.get(f"{address}api/chats")).json()["chats"]
        assert [chat["title"] for chat in chats] == ["Of bob", "Of ann"]
        origin = address.rsplit("/", 2)[0]
        assert origin.startswith("http://127.0.0.1:")
        for elsewhere in (f"{origin}/", f"{origin}/api/chats", f"{origin}/x/api/chats"):
            assert (await client.get(elsewhere)).status_code == 404
        rebound = await client.get(address, headers={"host": "evil.example"})
        assert rebound.status_code == 400
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


async def test_the_dashboard_keeps_to_one_user(start: Start, database: Path) -> None:
    await made(database)
    process = start("dashboard", "--no-open", "--user", "ann")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    async with httpx.AsyncClient() as client:
        chats = (await client.get(f"{address}api/chats")).json()["chats"]
    process.send_signal(signal.SIGINT)
    assert [chat["title"] for chat in chats] == ["Of ann"]
    assert process.wait(20) == 0


async def test_what_cannot_be_served_is_told(run: Run, database: Path) -> None:
    told = run("dashboard", "--no-open")
    assert (told.returncode, "There is no chats.db yet" in told.stderr) == (1, True)
    await made(database)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = run("dashboard", "--no-open", "--port", str(taken.getsockname()[1]))
    assert (told.returncode, "Choose another with --port" in told.stderr) == (1, True)
