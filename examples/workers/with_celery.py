"""Answers by Celery, over RabbitMQ or Redis (CHATS_BROKER).

celery -A with_celery worker -Q chats
python with_celery.py ask "How many days of leave do I have?"
"""

from __future__ import annotations

import asyncio
import os

import chats
from celery import Celery

from chatrecord.engines.celery import CeleryAnswers
from chatrecord.sqlalchemy import Database

app = Celery(broker=os.environ.get("CHATS_BROKER", "amqp://guest:guest@localhost:5672//"))
answers = CeleryAnswers(app, lambda: Database(chats.URL), chats.llm_for, queue=chats.QUEUE)


async def main() -> None:
    async with Database(chats.URL) as db:
        await chats.ask(db, answers.dispatch)


if __name__ == "__main__":
    asyncio.run(main())
