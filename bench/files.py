"""What a turn takes whose window has ten files of ten megabytes: memory and CPU.

    python bench/files.py URL [FILES]

Prints how far the memory of a process rises in its turns with these files, by their size, and the
seconds of CPU of a turn; then the same of the turn by hand. That one reads the files by the bare
driver, checks their SHA-256, and hands them to Pydantic AI. Each is a process of its own: one that
has stored the files before has memory left over, which its turns would take first.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from uuid import UUID

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from against import NOW
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import Answers, Drained, dsn_of, path_of

SIZE = 9_900_000
TURNS = 5

Turn = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Result:
    """Bytes by which the memory rises in some turns, by the files; seconds of CPU of a turn."""

    memory: float
    cpu: float


def resident(name: str) -> int:
    """Bytes in memory: now (`VmRSS`), or the most so far (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def forget_the_most() -> None:
    """From now on, `VmHWM` is the most since this moment."""
    Path("/proc/self/clear_refs").write_text("5")


async def fill(url: str, files: int) -> UUID:
    """A chat with a file in each question."""
    async with Database(url) as db:
        await db.create_tables()
        chat = await create_chat(db, Answers())
        for _ in range(files):
            data: Any = BinaryContent(os.urandom(SIZE), media_type="application/pdf")
            await chat.ask(["see", data])
        return chat.id


async def taken(warm_up: Turn, turn: Turn, files: int) -> Result:
    await warm_up()
    gc.collect()
    before = resident("VmRSS")
    forget_the_most()
    cpu = []
    for _ in range(TURNS):
        start = process_time()
        await turn()
        cpu.append(process_time() - start)
    return Result((resident("VmHWM") - before) / (files * SIZE), median(cpu))


async def chatrecord(url: str, chat_id: UUID, files: int) -> Result:
    async with Database(url) as db:

        async def warm_up() -> None:
            await (await create_chat(db, Answers())).ask("And now?")

        async def turn() -> None:
            await (await load_chat(db, Answers(), chat_id)).ask("And now?")

        return await taken(warm_up, turn, files)


async def by_hand(url: str, chat_id: UUID, files: int) -> Result:
    agent = Agent(Drained(Answers()))
    answer = (await agent.run("And now?")).all_messages()[-1]
    read = reader_of(url)

    async def turn() -> None:
        history: list[ModelMessage] = []
        for hashed, data in await read(chat_id):
            assert sha256(data).hexdigest() == hashed
            file = BinaryContent(data, media_type="application/pdf")
            history += [ModelRequest([UserPromptPart(["see", file])]), answer]
        await agent.run("And now?", message_history=history)

    return await taken(lambda: agent.run("And now?"), turn, files)


def reader_of(url: str) -> Callable[[UUID], Awaitable[Sequence[tuple[str, bytes]]]]:
    """What reads the files of a chat by the bare driver, each with its hash."""
    if url.startswith("sqlite"):
        import aiosqlite

        async def read(chat_id: UUID) -> Any:
            async with aiosqlite.connect(path_of(url)) as connection:
                query = "SELECT hash, data FROM llm_attachments WHERE chat_id = ?"
                return await connection.execute_fetchall(query, (chat_id.hex,))
    else:
        import asyncpg

        async def read(chat_id: UUID) -> Any:
            connection = await asyncpg.connect(dsn_of(url))
            try:
                query = "SELECT hash, data FROM llm_attachments WHERE chat_id = $1"
                return await connection.fetch(query, chat_id)
            finally:
                await connection.close()

    return read


WHO = {"chatrecord": chatrecord, "by hand": by_hand}


async def beside(url: str, files: int, source: Path) -> dict[str, Result]:
    """Each in a process of its own, with the library in this folder."""

    async def told(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, url, str(files), *words),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(source)},
        )
        out, _ = await process.communicate()
        if process.returncode:
            msg = "A turn with files failed: see the error above"
            raise SystemExit(msg)
        return out.decode()

    chat_id = (await told("fill")).strip()
    found = {who: (await told(who, chat_id)).split() for who in WHO}
    return {who: Result(*map(float, figures)) for who, figures in found.items()}


async def main(url: str, files: int, who: str | None = None, chat_id: str | None = None) -> None:
    if who is None:
        for name, result in (await beside(url, files, NOW)).items():
            print(name, result.memory, result.cpu)
    elif chat_id is None:
        print(await fill(url, files))
    else:
        result = await WHO[who](url, UUID(chat_id), files)
        print(result.memory, result.cpu)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int((sys.argv[2:] or ["10"])[0]), *sys.argv[3:5]))
