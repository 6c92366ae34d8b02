"""`chatrecord chats`: the chats there are."""

from __future__ import annotations

from argparse import Namespace

from rich.table import Table

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import list_chats, list_deleted_chats

from . import figures
from .answer import shortened
from .database import existing_database, missing_file, untouched_database
from .json_output import print_json
from .plain_text import plain
from .program import PROGRAM
from .reference import scope_of, short
from .screen import Screen, as_it_is
from .work import result_of


def run(arguments: Namespace) -> int:
    """List the chats: a table on a terminal, tab-separated lines in a pipe, or JSON."""
    found = result_of(_found(arguments))
    screen = Screen()
    if arguments.json:
        print_json(found)
    elif missing := missing_file(arguments.db):
        screen.note(missing)
    elif not found and arguments.deleted:
        screen.note("There are no deleted chats here that could be restored")
    elif not found and arguments.search is not None:
        screen.note(f"No chat here has a title with {arguments.search!r} in it")
    elif not found:
        screen.note(f"There are no chats here yet: start one with {PROGRAM} chat")
    elif screen.is_terminal:
        screen.out.print(_table(found))
    else:
        for chat in found:
            print(*_fields(chat), sep="\t")
    return 0


async def _found(arguments: Namespace) -> list[ChatRecord]:
    if missing_file(arguments.db):
        return []
    limit, scope = arguments.limit, scope_of(arguments.user)
    async with existing_database(arguments.db) as db:
        if arguments.deleted:
            return await list_deleted_chats(db, limit=limit, **scope)
        return await list_chats(db, limit=limit, search=arguments.search, **scope)


async def latest(place: str, user: str | None, limit: int) -> list[ChatRecord]:
    """The chats that were active last, in a database that is left as it is."""
    async with untouched_database(place) as db:
        return await list_chats(db, limit=limit, **scope_of(user))


def _table(chats: list[ChatRecord]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("chat", no_wrap=True, style="cyan", min_width=len(short(chats[0].id)))
    table.add_column("active", no_wrap=True, min_width=8)
    table.add_column("model", overflow="ellipsis", no_wrap=True, ratio=2)
    table.add_column("title", overflow="ellipsis", no_wrap=True, ratio=3)
    for chat in chats:
        table.add_row(
            short(chat.id),
            figures.age(chat.updated_at),
            as_it_is(model_of(chat)),
            as_it_is(title(chat)),
        )
    return table


def _fields(chat: ChatRecord) -> tuple[str, ...]:
    active = chat.updated_at.isoformat(timespec="seconds")
    return str(chat.id), active, plain(model_of(chat)), plain(title(chat))


def model_of(chat: ChatRecord) -> str:
    """The model the chat began with."""
    return ":".join(part for part in (chat.provider, chat.model) if part) or figures.UNKNOWN


def title(chat: ChatRecord) -> str:
    """The chat's title on one line."""
    return shortened(chat.title or "")
