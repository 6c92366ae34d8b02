"""`chatrecord feedback`: what people think of the answers, added up or one by one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from uuid import UUID

from rich.table import Table

from chatrecord.feedback import Feedback, FeedbackRow
from chatrecord.sqlalchemy import feedback_report, list_feedback

from . import figures
from .database import existing_database, missing_file
from .json_output import print_json
from .plain_text import plain
from .reference import scope_of, short
from .screen import Screen, as_it_is
from .work import result_of

_FIGURES = ("answers", "positive", "negative", "mean")
_LISTED = ("chat", "said", "value", "comment")


def run(arguments: Namespace) -> int:
    """Print a table on a terminal, tab-separated lines in a pipe, or JSON."""
    found = result_of(_found(arguments))
    screen = Screen()
    if arguments.json:
        print_json(found)
    elif missing := missing_file(arguments.db):
        screen.note(missing)
    elif not found:
        screen.note("Nobody has rated an answer in that time")
    else:
        names = _LISTED if arguments.rating else (*arguments.by, *_FIGURES)
        _print(screen, names, found)
    return 0


async def _found(arguments: Namespace) -> Sequence[Feedback | FeedbackRow]:
    if missing_file(arguments.db):
        return []
    period = {"since": arguments.since, "until": arguments.until}
    scope = scope_of(arguments.user)
    async with existing_database(arguments.db) as db:
        if arguments.rating is None:
            return await feedback_report(db, by=arguments.by, **period, **scope)
        rating = None if arguments.rating == "all" else arguments.rating
        return await list_feedback(db, rating=rating, limit=arguments.limit, **period, **scope)


def _print(screen: Screen, names: Sequence[str], found: Sequence[Feedback | FeedbackRow]) -> None:
    if not screen.is_terminal:
        print(*names, sep="\t")
        for each in found:
            print(*map(plain, _fields(each, str)), sep="\t")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        figure = name in _FIGURES or name == "value"
        table.add_column(name, justify="right" if figure else "left", no_wrap=name != "comment")
    for each in found:
        table.add_row(*map(as_it_is, _fields(each, short)))
    screen.out.print(table)


def _fields(each: Feedback | FeedbackRow, id_of: Callable[[UUID], str]) -> tuple[str, ...]:
    if isinstance(each, Feedback):
        said = each.updated_at.isoformat(timespec="seconds")
        comment = " ".join((each.comment or "").split())
        return id_of(each.chat_id), said, f"{each.value:g}", comment
    keys = map(figures.group, each.by.values())
    return *keys, f"{each.count:,}", f"{each.positive:,}", f"{each.negative:,}", f"{each.mean:.2f}"
