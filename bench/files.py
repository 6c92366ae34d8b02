"""What a turn takes whose window has ten files of ten megabytes: memory and CPU.

    python bench/files.py URL [FILES]

Prints how far the memory of the process rose in the turn, by the size of the files, and the seconds
of CPU. The turn before has read the files for the first time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path
from time import process_time
from typing import Any

from pydantic_ai import BinaryContent

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import Answers

SIZE = 9_900_000


def resident(name: str) -> int:
    """Bytes in memory: now (`VmRSS`), or the most so far (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def forget_the_most() -> None:
    """From now on, `VmHWM` is the most since this moment."""
    Path("/proc/self/clear_refs").write_text("5")


async def main(url: str, files: int) -> None:
    async with Database(url) as db:
        await db.create_tables()
        chat = await create_chat(db, Answers())
        for _ in range(files):
            data: Any = BinaryContent(os.urandom(SIZE), media_type="application/pdf")
            await chat.ask(["see", data])
        chat = await load_chat(db, Answers(), chat.id)
        await chat.ask("And now?")
        gc.collect()
        forget_the_most()
        cpu = process_time()
        await chat.ask("And now?")
        cpu = process_time() - cpu
        print(resident("VmHWM") / (files * SIZE), cpu)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10))
