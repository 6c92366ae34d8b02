"""How often a turn waits for its database, by the length of the chat.

    python bench/statements.py                      # SQLite
    python bench/statements.py postgresql://me@localhost/bench mysql://root@localhost/bench

A round trip is one message to the server and its answer; on SQLite, a change to the thread of the
connection and back. Those of psycopg are not seen here. Statements and commits are what a listener
hears: where somebody listens, each statement of a transaction is sent by itself.

The figures count; they do not depend on the machine. The journal is kept out of the way (its
ticks depend on how long the provider takes): it adds one commit per 50 ms of streamed answer, for
all live answers of the process together.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import aiosqlite
from sqlalchemy import event

from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.testing import Script, call, say
from shared import NEVER, add, lengthen, ticking

LENGTHS = (20, 1_000, 10_000)
ANSWERS: list[Any] = [[say("plain")], [call("add", a=1, b=2)], [say("3")]]


@dataclass
class Count:
    """What one turn took."""

    statements: int = 0
    commits: int = 0
    round_trips: int = 0


@contextmanager
def waiting() -> Iterator[Count]:
    """Counts what is sent to a server, and the calls of a connection's thread."""
    count = Count()
    sockets: Any = _SelectorSocketTransport
    send, call_thread = sockets.write, aiosqlite.Connection._execute

    def sent(*given: Any) -> Any:
        count.round_trips += 1
        return send(*given)

    def called(*given: Any, **named: Any) -> Any:
        count.round_trips += 1
        return call_thread(*given, **named)

    sockets.write = sent
    aiosqlite.Connection._execute = called  # type: ignore[method-assign]
    try:
        yield count
    finally:
        sockets.write = send
        aiosqlite.Connection._execute = call_thread  # type: ignore[method-assign]


@contextmanager
def counting(db: Database[Any]) -> Iterator[Count]:
    count = Count()

    def executed(*_: Any) -> None:
        count.statements += 1

    def committed(*_: Any) -> None:
        count.commits += 1

    listeners = (("before_cursor_execute", executed), ("commit", committed))
    for name, listener in listeners:
        event.listen(db.engine.sync_engine, name, listener)
    try:
        yield count
    finally:
        for name, listener in listeners:
            event.remove(db.engine.sync_engine, name, listener)


async def measure(url: str) -> None:
    async with Database(url) as db:
        await db.create_tables()
        for length in LENGTHS:
            script = Script(*[answer for _ in range(4) for answer in ANSWERS])
            chat = await create_chat(db, script, tools=[add])
            for _ in range(2):  # a statement is prepared when it is executed once more
                await chat.ask("a plain turn")
                await chat.ask("a turn with a tool")
            await lengthen(db, chat.id, length - 12, (await chat.messages())[:2])
            counts = []
            for question in ("a plain turn", "a turn with a tool"):
                with waiting() as unheard:
                    await chat.ask(question)
                counts.append(unheard)
            for count, question in zip(counts, ("a plain turn", "a turn with a tool"), strict=True):
                with counting(db) as heard:
                    await chat.ask(question)
                count.statements, count.commits = heard.statements, heard.commits
            cells = (
                f"{count.statements} | {count.commits} | {count.round_trips}" for count in counts
            )
            print(f"| {db.engine.dialect.name} | {length:,} | {' | '.join(cells)} |")
            await delete_chat(db, chat.id)


def main() -> None:
    print("| | messages before | a plain turn | | | with a tool | | |")
    print("|---|---|---|---|---|---|---|---|")
    print("| | | statements | commits | round trips | statements | commits | round trips |")
    with TemporaryDirectory() as folder, ticking(NEVER):
        for url in (f"sqlite:///{folder}/bench.db", *sys.argv[1:]):
            asyncio.run(measure(url))


if __name__ == "__main__":
    main()
