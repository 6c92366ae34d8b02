"""`manage.py chatrecord_purge --older-than 90d`: delete chats that were not used for long."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from django.core.management.base import BaseCommand, CommandParser

from chatrecord.django.chats import purge
from chatrecord.django.database import db
from chatrecord.store.chat_store import Audit
from chatrecord.text.typed_times import long_ago


class Command(BaseCommand):
    """See `chatrecord.sqlalchemy.purge`."""

    help = "Delete the chats that were not used since a time, with all that belongs to them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Its options."""
        parser.add_argument(
            "--older-than",
            required=True,
            type=long_ago,
            help="90d, 12w or 36h, or a day such as 2026-08-31",
        )
        parser.add_argument(
            "--audit",
            choices=get_args(Audit),
            default="delete",
            help="what happens to the requests, which reports of costs need",
        )
        parser.add_argument("--noinput", action="store_true", help="ask nothing")

    def handle(self, *args: object, **options: Any) -> None:
        """Delete, and say how many there were."""
        before: datetime = options["older_than"]
        if not options["noinput"]:
            asked = f"Delete all chats that were not used since {before:%Y-%m-%d %H:%M} UTC? [y/N] "
            if input(asked).strip().lower() not in ("y", "yes"):
                self.stdout.write("Nothing was deleted")
                return
        gone = purge(db, older_than=before, audit=options["audit"])
        self.stdout.write(f"{gone:,} {'chat' if gone == 1 else 'chats'} deleted")
