"""The Django app: `"chatrecord.django"` in `INSTALLED_APPS`."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_delete

from chatrecord.sqlalchemy import Database

from .database import close_database, current_database
from .deletion import before_deletion
from .model_names import model_of, set_defaults

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
        """Close the `Database` after a migration, and so after each `TransactionTestCase`.

        Leave nothing of a chat that Django deletes.
        """
        post_migrate.connect(lambda **_: close_database(), sender=self, weak=False)
        pre_delete.connect(before_deletion, sender=model_of("chat"), weak=False)
