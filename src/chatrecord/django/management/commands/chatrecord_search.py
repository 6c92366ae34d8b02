"""`manage.py chatrecord_search`: create the index that `search_messages` needs, or drop it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatrecord.django.database import db
from chatrecord.django.transactions import wait_outside


class Command(BaseCommand):
    """See `Database.create_search`."""

    help = "Create the index that search_messages() needs. The database keeps it up from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Its options."""
        parser.add_argument(
            "--language", default="simple", help="such as english, for other forms of a word, too"
        )
        parser.add_argument("--drop", action="store_true", help="drop the index")

    def handle(self, *args: object, **options: Any) -> None:
        """Create it, or drop it."""
        if options["drop"]:
            wait_outside(db.drop_search())
            self.stdout.write("Chats can be searched no more")
            return
        wait_outside(db.create_search(language=options["language"]))
        self.stdout.write("Chats can be searched")
