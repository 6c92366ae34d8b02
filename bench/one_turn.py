"""Takes turns when told to: a line in, the seconds of one turn out. See against.py."""

from __future__ import annotations

import asyncio
import gc
import sys

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import NEVER, Answers, add, cost, lengthen, ticking

PROMPT = "What is our travel policy for trains within Europe?"

KINDS = {"plain": ([], 10), "with a tool call": ([add], 10), "400 messages": ([], 400)}
"""The tools of a turn, and how many messages its chat has before."""


async def main(url: str, kind: str) -> None:
    tools, before = KINDS[kind]
    async with Database(url) as db:
        await db.create_tables()
        llm = Answers()
        template = await create_chat(db, llm, tools=tools)
        await template.ask(PROMPT)
        pair = [(await template.messages())[place] for place in (0, -1)]
        gc.freeze()
        print("ready", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            chat = await create_chat(db, llm, tools=tools)
            await lengthen(db, chat.id, before, pair)
            chat = await load_chat(db, llm, chat.id, tools=tools)
            taken = await cost(lambda chat=chat: chat.ask(PROMPT))  # type: ignore[misc]
            print(taken.wall, taken.cpu, flush=True)


if __name__ == "__main__":
    with ticking(NEVER):  # its ticks depend on how long the provider takes: see streams.py
        asyncio.run(main(*sys.argv[1:3]))
