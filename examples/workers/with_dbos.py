"""Answers by DBOS.

python with_dbos.py setup
python with_dbos.py worker
python with_dbos.py ask "How many days of leave do I have?"
"""

from __future__ import annotations

import asyncio
import sys
import threading

import chats
from dbos import DBOS, DBOSClient, run_dbos_database_migrations

from chatrecord.engines.dbos import DBOSAnswers, DBOSDispatch
from chatrecord.sqlalchemy import Database

SYSTEM_URL = chats.URL.replace("+psycopg", "")


def worker() -> None:
    DBOS(config={"name": "chats", "system_database_url": SYSTEM_URL})
    answers = DBOSAnswers(Database(chats.URL), chats.llm_for, queue=chats.QUEUE)
    DBOS.launch()
    answers.listen()
    threading.Event().wait()


async def setup() -> None:
    """Once."""
    await asyncio.to_thread(run_dbos_database_migrations, SYSTEM_URL)
    async with Database(chats.URL) as db:
        await db.create_tables()


async def ask() -> None:
    client = DBOSClient(system_database_url=SYSTEM_URL)
    async with Database(chats.URL) as db:
        await chats.ask(db, DBOSDispatch(client, db, queue=chats.QUEUE))
    client.destroy()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker()
    else:
        asyncio.run(setup() if sys.argv[1] == "setup" else ask())
