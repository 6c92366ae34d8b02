"""`manage.py chatrecord_usage --by day,model`: what the requests have used."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatrecord.django import figures
from chatrecord.django.chats import usage
from chatrecord.django.database import db
from chatrecord.spending.reports import UsageRow
from chatrecord.text.typed_times import long_ago

_FIGURES = ("requests", "failed", "input", "output", "cost")
_TIMES = ("p50", "p95")


class Command(BaseCommand):
    """See `chatrecord.sqlalchemy.usage`."""

    help = "Print tokens, costs, errors and times of the requests, as tab-separated lines."

    def add_arguments(self, parser: CommandParser) -> None:
        """Its options."""
        parser.add_argument(
            "--by",
            default="day,model",
            help="day, month, model, provider, agent, status, user_id or a column of your chats",
        )
        parser.add_argument("--since", type=long_ago, help="90d, 12w or 36h, or a day")
        parser.add_argument("--until", type=long_ago, help="90d, 12w or 36h, or a day")

        parser.add_argument("--times", action="store_true", help="how long half and 95 % took")

    def handle(self, *args: object, **options: Any) -> None:
        """Print a line for each group."""
        by = [name.strip() for name in str(options["by"]).split(",") if name.strip()]
        span = {name: options[name] for name in ("since", "until")}
        try:
            rows = usage(db, by=by, percentiles=options["times"], **span)
        except ValueError as error:
            raise CommandError(str(error)) from error
        times = _TIMES if options["times"] else ()
        self.stdout.write("\t".join((*by, *_FIGURES, *times)))
        for row in rows:
            told = (*map(figures.key, row.by.values()), *_figures(row))
            self.stdout.write("\t".join((*told, *(_time(row, name) for name in times))))


def _figures(row: UsageRow) -> list[str]:
    used = row.usage
    return [
        str(used.requests),
        str(row.failed),
        figures.count(used.input_tokens),
        figures.count(used.output_tokens),
        figures.money(used.cost),
    ]


def _time(row: UsageRow, name: str) -> str:
    times = row.latency_ms
    return figures.UNKNOWN if times is None else figures.seconds(getattr(times, name))
