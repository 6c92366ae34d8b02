"""Alembic writes the migrations of own tables, with the hooks of `chatrecord.alembic`."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import alembic
import own_tables
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from chatrecord.alembic import include_object, migrate
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, call, say

ENVIRONMENT = """
from alembic import context
from own_tables import Base

from chatrecord.alembic import include_object, render_item

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    include_object=include_object,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
"""


@pytest.fixture
async def hr(own_url: str) -> AsyncIterator[Database[Any]]:
    """A team's database. It also has the ready-made tables, which the team's metadata has not."""
    async with Database(own_url) as ready_made:
        await migrate(ready_made)
    async with Database(own_url, models=own_tables.Base) as db:
        yield db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The team's migrations, as `alembic init` lays them out."""
    template = Path(alembic.__file__).parent / "templates/generic/script.py.mako"
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    shutil.copy(template, tmp_path)
    return tmp_path


async def test_the_first_migration_makes_what_the_mixins_need(
    hr: Database[Any], folder: Path
) -> None:
    written = await run(hr, folder, write)
    assert "import chatrecord.sqlalchemy.types" in written
    assert "llm_" not in written, "the ready-made tables are left alone"

    await run(hr, folder, upgrade)
    await run(hr, folder, command.check)
    await hr.check()
    await assert_usable(hr)


async def test_tables_of_an_earlier_version_get_what_was_added(
    hr: Database[Any], folder: Path
) -> None:
    await hr.create_tables()
    async with hr.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE hr_requests DROP COLUMN list_cost"))

    written = await run(hr, folder, write)
    assert "sa.Column('list_cost', chatrecord.sqlalchemy.types.Money(), nullable=True)" in written

    await run(hr, folder, upgrade)
    await run(hr, folder, command.check)
    await hr.check()
    await assert_usable(hr)


async def test_ready_made_tables_in_the_metadata_are_compared(own_url: str) -> None:
    """The hook leaves out only what the metadata does not know."""
    async with Database(own_url) as db, db.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE llm_requests DROP COLUMN list_cost"))
        ((kind, _schema, table, column),) = await connection.run_sync(compared)

    assert (kind, table, column.name) == ("add_column", "llm_requests", "list_cost")


def compared(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"include_object": include_object})
    return list(compare_metadata(context, Base.metadata))


def write(config: Config) -> str:
    """`alembic revision --autogenerate`: the file that it has written."""
    script: Any = command.revision(config, autogenerate=True)
    return Path(script.path).read_text()


def upgrade(config: Config) -> None:
    command.upgrade(config, "head")


async def run(db: Database[Any], folder: Path, work: Callable[[Config], Any]) -> Any:
    def with_connection(connection: Connection) -> Any:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        return work(config)

    async with db.engine.begin() as connection:
        return await connection.run_sync(with_connection)


def add(a: int, b: int) -> int:
    return a + b


async def assert_usable(db: Database[Any]) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(text("INSERT INTO staff (id, name) VALUES (1, 'Ada')"))
    script = Script([call("add", a=1, b=2)], [say("Three.")])
    chat = await create_chat(db, script, user_id=1, tools=[add])
    assert (await chat.ask("1 + 2?")).text == "Three."
