"""Answers by taskiq, over NATS.

taskiq worker with_taskiq:broker
python with_taskiq.py ask "How many days of leave do I have?"
"""

from __future__ import annotations

import asyncio
import os

import chats
from taskiq_nats import PullBasedJetStreamBroker

from chatrecord.engines.taskiq import TaskiqAnswers
from chatrecord.sqlalchemy import Database

NATS = os.environ.get("CHATS_BROKER", "nats://localhost:4222")
broker = PullBasedJetStreamBroker(
    [NATS], subject=chats.QUEUE, stream_name=chats.QUEUE, durable=chats.QUEUE
)
db = Database(chats.URL)
answers = TaskiqAnswers(broker, db, chats.llm_for)


async def main() -> None:
    await broker.startup()
    await chats.ask(db, answers.dispatch)
    await broker.shutdown()
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
