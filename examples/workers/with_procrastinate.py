"""Answers by procrastinate.

python with_procrastinate.py setup
python with_procrastinate.py worker
python with_procrastinate.py ask "How many days of leave do I have?"
"""

from __future__ import annotations

import asyncio
import sys

import chats
from procrastinate import App, PsycopgConnector

from chatrecord.engines.procrastinate import ProcrastinateAnswers
from chatrecord.sqlalchemy import Database

db = Database(chats.URL)
app = App(connector=PsycopgConnector(conninfo=chats.URL.replace("+psycopg", "")))
answers = ProcrastinateAnswers(app, db, chats.llm_for, queue=chats.QUEUE)


async def main(command: str) -> None:
    async with app.open_async():
        if command == "setup":  # once
            await db.create_tables()
            await app.schema_manager.apply_schema_async()
        elif command == "worker":
            await app.run_worker_async(queues=[chats.QUEUE])
        else:
            await chats.ask(db, answers.dispatch)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
