"""The `Database` of this process: one for all its views, threads and event loops."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, cast

from django.conf import settings
from django.db import connections, router
from django.utils.module_loading import import_string

from chatrecord.chats.sync import submit
from chatrecord.errors import ChatRecordError, ConfigurationError
from chatrecord.sqlalchemy import ChatMixin, Database

from .engine import url_of
from .mapping import mapped_models
from .model_names import model_of

_NAMES = {"DRIVER", "ENGINE", "OPTIONS", "READ"}
_EXIT_PATIENCE = 5.0
"""Seconds that the end of a process waits for its runs to store their partial answers."""


def alias_of_chats() -> str:
    """The name in `settings.DATABASES` of the database that has the chats."""
    return str(router.db_for_write(model_of("chat")))


class _Current:
    """The `Database`, made when it is first used, and anew where tests change its name."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._found: Database[Any] | None = None
        self._name: object = None
        self.instead: Database[Any] | None = None

    def get(self) -> Database[Any]:
        if self.instead is not None:
            return self.instead
        with self._lock:
            name = connections[alias_of_chats()].settings_dict["NAME"]
            if self._found is None or self._name != name:
                self.closing()
                self._found, self._name = _made(), name
            return self._found

    def closing(self) -> Future[None] | None:
        """Close it in the background: this may be called there."""
        with self._lock:
            found, self._found = self._found, None
        return None if found is None else submit(found.close())


_current = _Current()


def current_database() -> Database[Any]:
    """The `Database` of this process."""
    return _current.get()


def close_database() -> None:
    """Stop the live runs of this process, store their partial answers, close the connections.

    The next use opens them again. Done at the end of the process and of each migration.
    """
    closing = _current.closing()
    if closing is not None:
        with suppress(TimeoutError, ChatRecordError):
            closing.result(_EXIT_PATIENCE)


atexit.register(close_database)


@contextmanager
def database_instead(database: Database[Any]) -> Iterator[None]:
    """Use this one meanwhile."""
    before, _current.instead = _current.instead, database
    try:
        yield
    finally:
        _current.instead = before


def is_instead() -> bool:
    """Whether chats are not where Django's models are, as in some tests."""
    return _current.instead is not None


class _Lazy:
    """Stands for the `Database` of this process, whichever that is when it is used."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # so that isinstance(db, Database)
        return Database

    def __getattr__(self, name: str) -> Any:
        return getattr(current_database(), name)

    def __repr__(self) -> str:
        return "<the Database of settings.DATABASES>"


db = cast("Database[ChatMixin]", _Lazy())
"""The `Database` of this process, for the functions of `chatrecord.django`.

It is made from `settings.DATABASES` when it is first used. After a fork it has connections of its
own. It is closed when the process ends.
"""


def get_database() -> Database[ChatMixin]:
    """The `Database` that `db` stands for."""
    return current_database()


def _made() -> Database[Any]:
    given = dict(getattr(settings, "CHATRECORD", {}))
    if unknown := given.keys() - _NAMES:
        msg = f"settings.CHATRECORD has {', '.join(map(repr, unknown))}; it takes {_NAMES}"
        raise ConfigurationError(msg)
    engine = given.get("ENGINE")
    where: Any = (
        url_of(connections[alias_of_chats()], given.get("DRIVER"))
        if engine is None
        else import_string(engine)()
    )
    options = dict(given.get("OPTIONS", {}))
    if "READ" in given:
        options["read"] = url_of(connections[given["READ"]], given.get("DRIVER"))
    made = Database(where, models=mapped_models(), **options)
    submit(_stay(made))
    return made


async def _stay(database: Database[Any]) -> None:
    """From now on it belongs to the loop in the background, which serves all others."""
    database.store._stay_in_one_loop()
