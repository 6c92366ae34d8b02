"""Options in the query of a URL reach the driver as what it takes, and wrong ones are named."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
from drivers import url_by
from sqlalchemy import URL, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord.errors import ConfigurationError, DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say


@pytest.fixture
def url(driver: str, request: pytest.FixtureRequest) -> URL:
    return url_by(driver, request)


TAKEN = {
    "asyncpg": [
        "command_timeout=5",
        "command_timeout=none",
        "direct_tls=false",
        "max_cacheable_statement_size=0",
        "max_cached_statement_lifetime=0",
        "prepared_statement_cache_size=0",
        "ssl=false",
        "ssl=prefer",
        "sslmode=prefer",
        "statement_cache_size=0",
        "target_session_attrs=any",
        "timeout=5.5",
        "connect_timeout=5",
        "statement_cache_size=0&timeout=3&sslmode=disable&application_name=chats",
    ],
    "psycopg": [
        "application_name=chats",
        "connect_timeout=5",
        "options=-c%20statement_timeout%3D5s",
        "prepare_threshold=0",
        "prepare_threshold=none",
        "sslmode=prefer",
    ],
    "asyncmy": [
        "charset=utf8mb4",
        "connect_timeout=5",
        "init_command=SET%20lock_wait_timeout%3D5",
        "local_infile=false",
        "max_allowed_packet=16777216",
        "read_timeout=5",
        "ssl=false",
        "stmt_cache_size=0",
    ],
}
WRONG = [
    ("asyncpg", "statement_cache_size=lots"),
    ("asyncpg", "command_timeout=soon"),
    ("asyncpg", "direct_tls=perhaps"),
    ("asyncpg", "timeout=1&timeout=2"),
    ("psycopg", "prepare_threshold=never"),
    ("asyncmy", "connect_timeout=soon"),
    ("asyncmy", "ssl=required"),
    ("asyncmy", "charset=latin1"),
    ("asyncpg", "sslmode=bogus"),
    ("asyncpg", "connect_timeout=soon"),
    ("asyncpg", "channel_binding=require"),
]


@pytest.fixture(autouse=True)
def servers(postgresql_url: str, mariadb_url: str) -> None:
    """They are there before the event loop of a test."""


def address(driver: str, request: pytest.FixtureRequest, query: str) -> str:
    return f"{url_by(driver, request).render_as_string(hide_password=False)}?{query}"


@pytest.mark.parametrize(
    ("driver", "query"), [(driver, query) for driver in TAKEN for query in TAKEN[driver]]
)
async def test_an_option_of_the_url_is_taken(
    driver: str, query: str, request: pytest.FixtureRequest
) -> None:
    if query.startswith("stmt_cache_size") and version("asyncmy") == "0.2.12":
        pytest.skip("the oldest driver does not know this option yet")
    async with Database(address(driver, request, query)) as db:
        chat = await create_chat(db, Script([say("Hello.")]))
        assert (await chat.ask("Hi")).text == "Hello."


@pytest.mark.parametrize("query", ["timeout=5", "cached_statements=10", "check_same_thread=false"])
async def test_an_option_of_a_sqlite_url_is_taken(query: str, tmp_path: Any) -> None:
    async with Database(f"sqlite:///{tmp_path / 'a.db'}?{query}") as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Hello.")]))
        assert (await chat.ask("Hi")).text == "Hello."


@pytest.mark.parametrize(
    ("driver", "query", "ask", "answer"),
    [
        ("asyncpg", "application_name=chats", "SHOW application_name", "chats"),
        ("asyncpg", "statement_timeout=5s", "SHOW statement_timeout", "5s"),
        ("psycopg", "application_name=chats", "SHOW application_name", "chats"),
        ("asyncmy", "charset=utf8mb4", "SELECT @@character_set_client", "utf8mb4"),
    ],
)
async def test_a_setting_of_the_server_arrives(
    driver: str, query: str, ask: str, answer: str, request: pytest.FixtureRequest
) -> None:
    async with Database(address(driver, request, query)) as db, db.store.transaction() as open_one:
        assert (await open_one.execute(text(ask))).scalar_one() == answer


@pytest.mark.parametrize("name", ["ssl", "sslmode"])
async def test_a_demand_for_encryption_is_not_dropped(
    name: str, request: pytest.FixtureRequest
) -> None:
    """These servers speak plain text, or are asked for a certificate that they have not got."""
    async with Database(address("asyncpg", request, f"{name}=verify-full")) as db:
        with pytest.raises((DatabaseFailed, ConfigurationError), match=r"(?i)ssl|certificate"):
            await create_chat(db, Script([say("Hello.")]))


@pytest.mark.parametrize(("driver", "query"), WRONG)
def test_a_value_that_cannot_be_names_its_option(
    driver: str, query: str, request: pytest.FixtureRequest
) -> None:
    name = query.partition("=")[0]
    with pytest.raises(ConfigurationError, match=f"{name} in the URL"):
        Database(address(driver, request, query))


def test_a_value_that_cannot_be_names_its_option_on_sqlite(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout in the URL"):
        Database(f"sqlite:///{tmp_path / 'a.db'}?timeout=soon")


@pytest.mark.parametrize("driver", TAKEN)
async def test_an_option_that_is_not_there_is_named(
    driver: str, request: pytest.FixtureRequest
) -> None:
    async with Database(address(driver, request, "no_such_option=1")) as db:
        with pytest.raises((ConfigurationError, DatabaseFailed), match="no_such_option"):
            await create_chat(db, Script([say("Hello.")]))


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        ("asyncpg", {"statement_cache_size": "0"}),
        ("asyncpg", {"command_timeout": "5"}),
        ("asyncpg", {"ssl": "whatever"}),
        ("psycopg", {"prepare_threshold": "0"}),
        ("asyncmy", {"connect_timeout": "5"}),
        ("asyncmy", {"no_such_option": 1}),
    ],
)
async def test_a_wrong_option_of_an_own_engine_is_named(
    driver: str, options: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    engine = create_async_engine(url_by(driver, request), connect_args=options)
    async with Database(engine) as db:
        with pytest.raises((ConfigurationError, DatabaseFailed), match="|".join(options)):
            await create_chat(db, Script([say("Hello.")]))
    await engine.dispose()


@pytest.mark.parametrize("query", ["mode=ro", "bogus=1"])
def test_what_sqlite_would_ignore_is_named(query: str) -> None:
    name = query.partition("=")[0]

    with pytest.raises(ConfigurationError, match=f"{name} in the URL"):
        Database(f"sqlite:///chats.db?{query}")


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ("sqlite://chats.db", "sqlite:///chats.db"),
        ("chats.db", "sqlite:///chats.db"),
        ("postgresql://u@h:abc/x", "no database URL"),
        (create_engine("sqlite://"), "create_async_engine"),
    ],
)
def test_an_invalid_url_is_reported_with_the_fix(given: Any, fix: str) -> None:
    with pytest.raises(ConfigurationError, match=fix):
        Database(given)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("wrong", ["user", "database", "ssl"])
async def test_a_server_that_turns_a_connection_away_is_not_asked_again(
    url: URL, wrong: str
) -> None:
    changed = {
        "user": url.set(username="nobody_of_this_name"),
        "database": url.set(database="none_of_this_name"),
        "ssl": url.update_query_dict({"sslmode": "require"}),
    }[wrong]
    async with Database(changed) as db:
        with pytest.raises(DatabaseFailed) as failure:
            await create_chat(db, Script())

    if wrong == "ssl" and "SSL" not in str(failure.value):
        pytest.skip("this server takes SSL")
    assert not failure.value.may_pass


@pytest.mark.parametrize("driver", list(TAKEN))
async def test_missing_tables_are_reported_on_every_driver(url: URL, driver: str) -> None:
    maintenance = url.set(database="mysql" if driver == "asyncmy" else "postgres")
    async with Database(maintenance) as db:
        with pytest.raises(DatabaseFailed, match="Create the tables first"):
            await create_chat(db, Script())


async def test_a_character_set_that_holds_not_every_text_is_refused(mariadb_url: str) -> None:
    engine = create_async_engine(mariadb_url, connect_args={"charset": "latin1"})
    db = Database(engine)
    with pytest.raises(ConfigurationError, match="utf8mb4"):
        await create_chat(db, Script())
    await engine.dispose()


async def test_a_database_is_closed_in_the_loop_it_was_used_in(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    await create_chat(db, Script())

    def elsewhere() -> None:
        with pytest.raises(ConfigurationError, match="another event loop"):
            asyncio.run(db.close())

    await asyncio.to_thread(elsewhere)
    await db.close()
