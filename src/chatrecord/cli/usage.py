"""`chatrecord usage`: what the requests have used, and how they went."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from rich.table import Table

from chatrecord.spending.reports import Percentiles, UsageRow
from chatrecord.sqlalchemy import usage

from . import figures
from .database import existing_database, missing_file
from .json_output import print_json
from .plain_text import plain
from .reference import scope_of
from .screen import Screen, as_it_is
from .work import result_of

_FIGURES = ("requests", "failed", "input", "output", "cost", "p50", "p95", "first p50", "first p95")
_FOR_NARROW = 7
"""The columns that fit next to a day and a model on a terminal of 80 columns."""
_WIDE = 110


def run(arguments: Namespace) -> int:
    """Print the report: a table on a terminal, tab-separated lines in a pipe, or JSON."""
    rows = result_of(_report(arguments))
    screen = Screen()
    if arguments.json:
        print_json(rows)
    elif missing := missing_file(arguments.db):
        screen.note(missing)
    elif not any(row.usage.requests for row in rows):
        screen.note("Nothing was asked in that time")
    elif screen.is_terminal:
        narrow = screen.out.width < _WIDE
        screen.out.print(_table(arguments.by, rows, _FOR_NARROW if narrow else len(_FIGURES)))
    else:
        print(*arguments.by, *_FIGURES, sep="\t")
        for row in rows:
            print(*map(plain, (*_keys(row), *_figures(row))), sep="\t")
    return 0


async def _report(arguments: Namespace) -> list[UsageRow]:
    if missing_file(arguments.db):
        return []
    async with existing_database(arguments.db) as db:
        return await usage(
            db,
            by=arguments.by,
            since=arguments.since,
            until=arguments.until,
            percentiles=True,
            **scope_of(arguments.user),
        )


def _table(by: Sequence[str], rows: Sequence[UsageRow], shown: int) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for name in by:
        table.add_column(name, no_wrap=True, overflow="ellipsis", style="cyan")
    for name in _FIGURES[:shown]:
        table.add_column(name, no_wrap=True, justify="right")
    for row in rows:
        table.add_row(*map(as_it_is, (*_keys(row), *_figures(row)[:shown])))
    return table


def _keys(row: UsageRow) -> list[str]:
    return [_key(name, value) for name, value in row.by.items()]


def _key(name: str, value: object) -> str:
    return "answer" if name == "kind" and value is None else figures.group(value)


def _figures(row: UsageRow) -> list[str]:
    used = row.usage
    cost = figures.money(used.cost)
    return [
        f"{used.requests:,}",
        f"{row.error_rate:.0%}" if row.failed else "0",
        figures.count(used.input_tokens),
        figures.count(used.output_tokens),
        f"{cost}+" if used.cost is not None and used.unpriced_requests else cost,
        *_times(row.latency_ms),
        *_times(row.first_token_ms),
    ]


def _times(found: Percentiles | None) -> tuple[str, str]:
    if found is None:
        return figures.UNKNOWN, figures.UNKNOWN
    return figures.seconds(found.p50), figures.seconds(found.p95)
