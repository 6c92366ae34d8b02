"""What a test has made at a broker is deleted there."""

from __future__ import annotations

from typing import Any


def delete_queue(celery: Any, name: str) -> None:
    """A queue of Celery, at RabbitMQ or Redis."""
    with celery.connection() as connection:
        if connection.transport.driver_type == "redis":
            client = connection.default_channel.client
            client.delete(name, f"_kombu.binding.{name}", f"_kombu.binding_permanent.{name}")
        else:
            connection.default_channel.queue_delete(name)


async def delete_stream(broker: Any, name: str) -> None:
    """The stream of a broker of taskiq, at NATS or Redis."""
    if hasattr(broker, "js"):
        await broker.js.delete_stream(name)
        return
    from redis.asyncio import Redis

    async with Redis(connection_pool=broker.connection_pool) as redis:
        await redis.delete(name)
