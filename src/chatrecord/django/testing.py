"""Chats in the tests of a Django project.

    class ChatTest(TestCase):
        def setUp(self):
            self.enterContext(chats_in_memory())

A `TestCase` never commits, so no connection but Django's sees what it has written. A
`TransactionTestCase` needs nothing of this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatrecord.chats.sync import wait
from chatrecord.sqlalchemy import ChatMixin, Database

from .database import database_instead
from .mapping import mapped_models


@contextmanager
def chats_in_memory() -> Iterator[Database[ChatMixin]]:
    """Keep chats in memory meanwhile: `db` and all views use that database.

    A chat that is created in `transaction.atomic()`, and so in a `TestCase`, also has its row in
    Django's database, so that rows of yours may refer to it. Its messages are in memory alone.
    """
    database = Database("sqlite://", models=mapped_models())
    wait(database.create_tables())
    try:
        with database_instead(database):
            yield database
    finally:
        wait(database.close())
