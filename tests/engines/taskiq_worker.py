"""A worker of taskiq."""

import os

from taskiq import AsyncBroker

from chatrecord.engines.taskiq import TaskiqAnswers

from .worker import QUEUE, database, llm_for


def broker_at(url: str, queue: str) -> AsyncBroker:
    if url.startswith("nats"):
        from taskiq_nats import PullBasedJetStreamBroker

        return PullBasedJetStreamBroker([url], subject=queue, stream_name=queue, durable=queue)
    from taskiq_redis import RedisStreamBroker

    return RedisStreamBroker(url, queue_name=queue)


broker = broker_at(os.environ.get("CHATS_BROKER", "redis://127.0.0.1:6379"), QUEUE or "chats")
if QUEUE:
    answers = TaskiqAnswers(broker, database(), llm_for)
