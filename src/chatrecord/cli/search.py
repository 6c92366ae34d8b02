"""`chatrecord search`: what was said about something."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from chatrecord.chats.search_hits import SearchHit
from chatrecord.errors import SearchUnavailable
from chatrecord.sqlalchemy import search_messages

from . import figures
from .database import Chats, existing_database
from .json_output import print_json
from .plain_text import plain
from .reference import scope_of, short
from .screen import Screen
from .work import result_of


def run(arguments: Namespace) -> int:
    """List the hits, the best first: a table on a terminal, lines in a pipe, or JSON."""
    hits = result_of(_found(arguments))
    screen = Screen()
    if arguments.json:
        print_json(hits)
    elif not hits:
        screen.note(f"Nothing here has {arguments.query!r} in it")
    elif screen.is_terminal:
        screen.out.print(_table(hits))
    else:
        for hit in hits:
            print(*_fields(hit), sep="\t")
    return 0


async def _found(arguments: Namespace) -> list[SearchHit]:
    async with existing_database(arguments.db) as db:
        try:
            return await _search(db, arguments)
        except SearchUnavailable:
            if db.engine.dialect.name != "sqlite":
                raise
        await db.create_search()  # of a file of one's own
        return await _search(db, arguments)


async def _search(db: Chats, arguments: Namespace) -> list[SearchHit]:
    scope = scope_of(arguments.user)
    return await search_messages(db, arguments.query, limit=arguments.limit, **scope)


def _table(hits: Sequence[SearchHit]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("chat", no_wrap=True, style="cyan", min_width=len(short(hits[0].chat_id)))
    table.add_column("said", no_wrap=True, min_width=8)
    table.add_column("by", no_wrap=True)
    table.add_column("text", ratio=1)
    for hit in hits:
        said = figures.age(hit.created_at)
        table.add_row(short(hit.chat_id), said, hit.role, _marked(hit))
    return table


def _marked(hit: SearchHit) -> Text:
    text = Text()
    for part, is_match in hit.snippet.parts:
        text.append(plain(part), style="bold yellow" if is_match else "")
    return text


def _fields(hit: SearchHit) -> tuple[str, ...]:
    said = hit.created_at.isoformat(timespec="seconds")
    return str(hit.chat_id), said, hit.role, plain(hit.snippet.text)
