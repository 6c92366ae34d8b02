"""`manage.py chatrecord_repair`: end the runs whose process has died."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from chatrecord.django.database import db
from chatrecord.django.transactions import wait_outside


class Command(BaseCommand):
    """See `Database.repair`."""

    help = "End the runs of processes that died, and keep their partial answers."

    def handle(self, *args: object, **options: object) -> None:
        """Repair, and say how much there was to do."""
        ended = wait_outside(db.repair())
        runs = "no run was" if not ended else "1 run was" if ended == 1 else f"{ended} runs were"
        self.stdout.write(f"{runs.capitalize()} left open by a process that died")
