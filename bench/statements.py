"""How many statements and commits a turn takes, on each database, by the length of the chat.

    python bench/statements.py                      # SQLite
    python bench/statements.py postgresql://me@localhost/bench mysql://root@localhost/bench

The figures count; they do not depend on the machine. The journal is kept out of the way (its
ticks depend on how long the provider takes): it adds one commit per 50 ms of streamed answer, for
all live answers of the process together.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event

from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.testing import Script, call, say
from shared import NEVER, add, lengthen, ticking

LENGTHS = (10, 1_000, 10_000)


@dataclass
class Count:
    """What one turn took."""

    statements: int = 0
    commits: int = 0


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
            script = Script([say("hi")], [say("plain")], [call("add", a=1, b=2)], [say("3")])
            chat = await create_chat(db, script, tools=[add])
            await chat.ask("warm up")
            await lengthen(db, chat.id, length - 2, await chat.messages())
            with counting(db) as plain:
                await chat.ask("a plain turn")
            with counting(db) as tool:
                await chat.ask("a turn with a tool")
            print(
                f"| {db.engine.dialect.name} | {length:,} | {plain.statements} | {plain.commits} "
                f"| {tool.statements} | {tool.commits} |"
            )
            await delete_chat(db, chat.id)


def main() -> None:
    print("| database | messages before | statements | commits | with a tool | commits |")
    print("|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder, ticking(NEVER):
        for url in (f"sqlite:///{folder}/bench.db", *sys.argv[1:]):
            asyncio.run(measure(url))


if __name__ == "__main__":
    main()
