"""The Django app: `"chatrecord.django"` in `INSTALLED_APPS`."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from chatrecord.sqlalchemy import Database

from .database import close_database, current_database
from .model_names import set_defaults

set_defaults()


class ChatRecordConfig(AppConfig):
    """The app, and the `Database` of this process."""

    name = "chatrecord.django"
    label = "chatrecord"
    verbose_name = "Chats"
    default_auto_field = "django.db.models.BigAutoField"

    @property
    def database(self) -> Database[Any]:
        """The `Database` of this process."""
        return current_database()

    def ready(self) -> None:
        """Close the `Database` after a migration, and so after each `TransactionTestCase`."""
        post_migrate.connect(lambda **_: close_database(), sender=self, weak=False)
