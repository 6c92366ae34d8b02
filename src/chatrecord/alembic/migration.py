"""Brings the ready-made tables of any version to those of this one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.models.creation import in_turn
from chatrecord.sqlalchemy.schema.revision import REVISION
from chatrecord.sqlalchemy.tables import READY_MADE

from .seen import Seen, seen_in

VERSION_TABLE = "llm_alembic_version"
"""Where the revision of the ready-made tables is kept, beside a version table of your own."""

_HERE = Path(__file__).parent

Result = TypeVar("Result")


@dataclass(frozen=True)
class Migration:
    """What a migration did: the revisions before and after. `before` is `None` if all is new."""

    before: str | None
    after: str


async def migrate(db: Database[Any]) -> Migration:
    """Bring the ready-made tables of this database to the newest revision.

        migration = await migrate(Database("sqlite:///chats.db"))

    Tables that `create_tables()` made are recognised. Several processes may call this at once:
    one migrates, and the others wait. Raises `ConfigurationError` for tables of your own, which
    your own migrations change, for tables of a later version of this library, and for an engine
    with a `schema_translate_map`.
    """
    return await _run(db, _upgraded)


async def migration_sql(db: Database[Any]) -> str:
    """The statements that `migrate` would execute on this database now. Nothing is changed."""
    return await _run(db, _printed)


async def _run(db: Database[Any], work: Callable[[Connection], Result]) -> Result:
    if db.models.chat is not READY_MADE.chat:
        msg = (
            "These are tables of your own: change them with migrations of your own, which "
            "chatrecord.alembic helps Alembic to write. See docs/how-to/upgrading.md"
        )
        raise ConfigurationError(msg)
    if db.engine.get_execution_options().get("schema_translate_map"):
        msg = (
            "This engine has a schema_translate_map, which migrations do not follow: pass an "
            "engine for each schema, such as one with a search_path on PostgreSQL"
        )
        raise ConfigurationError(msg)
    return await in_turn(db.store, lambda connection: connection.run_sync(work))


def _upgraded(connection: Connection) -> Migration:
    seen = seen_in(connection)
    before = None if seen.is_new else _recorded(connection) or _recognised(connection, seen)
    _check_recorded(connection, seen)
    _upgrade(_config(connection, seen), REVISION)
    return Migration(before, REVISION)


def _printed(connection: Connection) -> str:
    seen = seen_in(connection)
    _check_recorded(connection, seen)
    recorded = _recorded(connection)
    printed = StringIO()
    if recorded != REVISION:
        config = _config(connection, seen, printed)
        _upgrade(config, f"{recorded or 'base'}:{REVISION}", sql=True)
    return printed.getvalue()


def _upgrade(config: Config, revision: str, *, sql: bool = False) -> None:
    try:
        command.upgrade(config, revision, sql=sql)
    except CommandError as error:
        msg = (
            f"{error}: a later version of chatrecord has migrated these tables. Upgrade "
            "chatrecord on this machine, too"
        )
        raise ConfigurationError(msg) from error


def _config(connection: Connection, seen: Seen, printed: StringIO | None = None) -> Config:
    config = Config(output_buffer=printed) if printed else Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE, seen=seen)
    return config


def _check_recorded(connection: Connection, seen: Seen) -> None:
    """Refuse a revision without tables: nothing would be created."""
    if seen.is_new and (recorded := _recorded(connection)):
        msg = (
            f"There are no tables, but {VERSION_TABLE} says that they are at revision {recorded}: "
            f"DROP TABLE {VERSION_TABLE} if they were dropped"
        )
        raise ConfigurationError(msg)


def _recorded(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _recognised(connection: Connection, seen: Seen) -> str:
    """The revision by what is there: the last before the first that has something left to do."""
    scripts = list(ScriptDirectory(str(_HERE)).walk_revisions())[::-1]
    reached = scripts[0].revision
    for script in scripts:
        if _statements_of(script.module.upgrade, connection, seen):
            break
        reached = script.revision
    return reached


def _statements_of(upgrade: Callable[[], None], connection: Connection, seen: Seen) -> str:
    printed = StringIO()
    options = {"as_sql": True, "output_buffer": printed, "chatrecord_seen": seen}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        upgrade()
    return printed.getvalue()
