"""`chatrecord webhooks`: hand the events of a database to a receiver, signed."""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import Namespace
from contextlib import suppress

from chatrecord.errors import ConfigurationError
from chatrecord.webhooks import relay

from .database import existing_database
from .work import result_of


def run(arguments: Namespace) -> int:
    """Deliver until it is stopped, or what is due."""
    secrets = [_secret(name) for name in arguments.secret_env]
    with suppress(asyncio.CancelledError):
        result_of(_relayed(arguments, secrets))
    return 0


async def _relayed(arguments: Namespace, secrets: list[str]) -> None:
    work = asyncio.current_task()
    assert work is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    async with existing_database(arguments.db) as db:
        await relay(
            db,
            arguments.to,
            secrets=secrets,
            types=arguments.types,
            name=arguments.name,
            from_now=arguments.from_now,
            once=arguments.once,
            give_up_after=arguments.give_up_after,
            timeout=arguments.timeout,
        )


def _secret(name: str) -> str:
    found = os.environ.get(name)
    if not found:
        msg = f"The environment variable {name} is not set: it is to have the secret, whsec_..."
        raise ConfigurationError(msg)
    return found
