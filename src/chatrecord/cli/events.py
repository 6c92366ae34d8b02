"""`chatrecord events`: what has happened to the chats, a line for each event."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import aclosing

from chatrecord.events import Event

from .database import existing_database
from .json_output import json_of
from .plain_text import plain
from .reference import scope_of
from .work import result_of


def run(arguments: Namespace) -> int:
    """Print the events, and with --follow those that come."""
    result_of(_printed(arguments))
    return 0


async def _printed(arguments: Namespace) -> None:
    async with (
        existing_database(arguments.db) as db,
        aclosing(
            db.events(
                after=arguments.after,
                types=arguments.types,
                follow=arguments.follow,
                **scope_of(arguments.user),
            )
        ) as events,
    ):
        async for event in events:
            line = json.dumps(json_of(event)) if arguments.json else _line(event)
            print(line, flush=True)


def _line(event: Event) -> str:
    shown = (
        event.id,
        event.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        event.type,
        event.chat_id or "-",
        event.run_id or "-",
        json.dumps(json_of(event.data)),
    )
    return "\t".join(plain(str(each)) for each in shown)
