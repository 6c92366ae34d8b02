"""Chats inside of Django's transactions: what may be done there, and what has to wait."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TypeVar

from django.db import connections, transaction

from chatrecord.chats.sync import wait
from chatrecord.errors import ConfigurationError, DatabaseFailed, SchemaError
from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy.models.column_values import check_stored
from chatrecord.sqlalchemy.sql.tables import MappedTable
from chatrecord.sqlalchemy.store.rows import chat_values

from .caller import Caller
from .database import alias_of_chats, current_database, is_instead
from .model_names import model_of

Result = TypeVar("Result")

_IN_TESTS = "In a TestCase, which never commits, use chatrecord.django.testing.chats_in_memory()"


def in_transaction() -> bool:
    """Whether this thread is inside of `transaction.atomic()` on the database of the chats."""
    return bool(connections[alias_of_chats()].in_atomic_block)


class Commit:
    """Whether the transaction that has created a chat is committed."""

    def __init__(self, *, is_done: bool) -> None:
        self.is_done = is_done
        if not is_done:
            transaction.on_commit(self._done, using=alias_of_chats())

    def _done(self) -> None:
        self.is_done = True

    def check(self) -> None:
        """Raise `ConfigurationError` for a chat that only this transaction sees."""
        if not self.is_done:
            msg = (
                "This chat was created in a transaction of Django's that is not committed, so no "
                "other connection sees it. Use it after the commit: "
                "transaction.on_commit(lambda: chat.ask(...)), or leave the atomic() block first. "
                f"{_IN_TESTS}"
            )
            raise ConfigurationError(msg)

    def wait(self, work: Coroutine[None, None, Result], /) -> Result:
        """Run what uses the chat."""
        try:
            self.check()
        except ConfigurationError:
            work.close()
            raise
        return wait_outside(work)


def wait_outside(work: Coroutine[None, None, Result], /) -> Result:
    """Run a coroutine of the library; tell of a lock that this thread itself holds."""
    try:
        return wait(work)
    except SchemaError as error:
        raise to_migrate(error) from error
    except DatabaseFailed as error:
        if not in_transaction() or not error.may_pass:
            raise
        raise explained(error) from error


def to_migrate(error: SchemaError) -> SchemaError:
    """The error, with the command of Django's."""
    return SchemaError(f"In a Django project, run manage.py migrate. {error}", error.differences)


def explained(error: DatabaseFailed) -> DatabaseFailed:
    """The error, with what may be its reason in a transaction of Django's."""
    msg = (
        f"{error} This thread is inside of transaction.atomic() (or ATOMIC_REQUESTS), whose locks "
        "chats wait for in vain: they use connections of their own. Do it after the commit, with "
        "transaction.on_commit(...), or in a view with @transaction.non_atomic_requests. "
        f"{_IN_TESTS}"
    )
    return DatabaseFailed(
        msg, may_pass=error.may_pass, undone=error.undone, refused_value=error.refused_value
    )


class OwnTransaction:
    """Inserts a chat on the connection, and in the transaction, of the thread that waits."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def insert_chat(self, chat: ChatRecord) -> ChatRecord:
        """Insert the row. Raises `ConfigurationError` where a column changes its value."""
        return await self._caller.run(lambda: insert_with_django(chat))


def insert_with_django(chat: ChatRecord) -> ChatRecord:
    """Insert the row of a chat on Django's connection."""
    model, alias = model_of("chat"), alias_of_chats()
    values = {name.rstrip("_"): value for name, value in chat_values(chat).items()}
    model(**values).save(force_insert=True, using=alias)
    stored = model._base_manager.using(alias).get(pk=chat.id)
    database = current_database()
    own = {name: getattr(stored, name) for name in database.store.chat_columns()}
    columns = MappedTable(database.models.chat).columns
    if not is_instead():
        check_stored(columns, chat.columns, own)
    return ChatRecord(
        id=chat.id,
        model=stored.model,
        provider=stored.provider,
        agent=stored.agent,
        instructions=stored.instructions,
        title=stored.title,
        metadata=stored.metadata,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        columns=own,
    )
