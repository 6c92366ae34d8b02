"""A scope is exact: the same value of the same type, whatever the collation of the column.

It is the only wall between two owners.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import owners
import pytest
from sqlalchemy import BINARY, CHAR, VARBINARY, String, make_url, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from chatrecord import Budget
from chatrecord.errors import BudgetExceeded, ChatNotFound, ConfigurationError
from chatrecord.pydantic_ai import Persisted, message_history
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    import_history,
    list_chats,
    load_chat,
    purge,
    usage,
)
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes

BOBS = ("Bob", "bob", "BOB", "Bob ", "B\u00f6b")
"""Owners that one database or another takes for the same."""

RIGHT: dict[str, tuple[Any, Any]] = {
    "owner": ("Bob", "bob"),
    "note": ("Bob", "Bob "),
    "wide": ("Bob", "BOB"),
    "exact": ("Bob", "bob"),
    "tag": ("Bob", "bob"),
    "careless": ("Bob", "bob"),
    "team": (owners.Team.RED, owners.Team.BLUE),
    "level": ("low", "high"),
    "number": (7, 0),
    "large": (2**53 + 1, 2**53),
    "person": (1, 2),
    "is_open": (True, False),
    "share": (0.5, 0.25),
    "price": (Decimal("12.30"), Decimal("12.31")),
    "due": (date(2026, 1, 2), date(2026, 1, 3)),
    "at": (datetime(2026, 1, 2, 3), datetime(2026, 1, 2, 4)),  # noqa: DTZ001
    "key": (UUID(int=7), UUID(int=8)),
    "raw": (b"Bob", b"bob"),
}
"""Of each column an owner's value, and that of a stranger."""

WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "owner": ((0, r"takes str, not int: pass str\(owner\)"), (b"Bob", "not bytes"), (True, "bool")),
    "note": ((0, "takes str"),),
    "wide": ((0.0, "takes str, not float"),),
    "exact": ((0, "takes str"),),
    "tag": (),
    "careless": ((0, "takes str, not int"),),
    "team": ((1, "takes Team, not int"),),
    "level": ((0, "takes str"),),
    "number": (
        ("7abc", r"takes int, not str: pass int\(number\)"),
        ("7", "not str"),
        (True, "not bool"),
        (7.0, "not float"),
    ),
    "large": (("7", "takes int"),),
    "person": (("1", "takes int"),),
    "is_open": ((1, "takes bool, not int: pass True or False"), ("t", "takes bool")),
    "share": (("0.5", "takes float"), (True, "takes float")),
    "price": (("12.30", r"pass Decimal\(str\(price\)\)"), (12.3, "takes Decimal, not float")),
    "due": (("2026-01-02", "takes date"), (datetime(2026, 1, 2), "its .date()")),  # noqa: DTZ001
    "at": ((date(2026, 1, 2), "takes datetime, not date"), ("2026", "takes datetime")),
    "key": ((str(UUID(int=7)), r"pass UUID\(str\(key\)\)"), (7, "takes UUID")),
    "raw": (("Bob", "takes bytes, not str"),),
}


@asynccontextmanager
async def tables(url: str, base: Any) -> AsyncIterator[Database[Any]]:
    """A database with the tables of this base, and nothing left in them afterwards."""
    async with Database(url, models=base) as db:
        for statement in owners.PREPARATIONS.get(db.engine.dialect.name, ()):
            try:
                async with db.engine.begin() as connection:
                    await connection.execute(text(statement))
            except DBAPIError:
                pytest.skip("this PostgreSQL comes without citext or without ICU")
        await db.create_tables()
        yield db
        async with db.engine.begin() as connection:
            for table in reversed(base.metadata.sorted_tables):
                await connection.execute(table.delete())


@pytest.fixture
async def own(any_url: str) -> AsyncIterator[Database[Any]]:
    """Chats with a column of each type."""
    async with tables(any_url, owners.Base) as db:
        async with db.engine.begin() as connection:
            await connection.execute(owners.Person.__table__.insert(), [{"id": 1}, {"id": 2}])
        yield db


@pytest.fixture(params=owners.CARELESS_TEXTS)
async def careless(any_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Database[Any]]:
    """Chats whose owner is text that is compared without care."""
    kind = owners.CARELESS_TEXTS[request.param]
    async with tables(any_url, owners.base_with(kind, request.param)) as db:
        yield db


async def of_bobs(db: Database[Any], **options: Any) -> dict[str, Any]:
    """A chat of each Bob, with one answer."""
    chats = {}
    for bob in BOBS:
        llm = Script([say("secret")])
        chats[bob] = await create_chat(db, llm, owner=bob, title="Secret", **options)
        await chats[bob].ask("Hi!")
    return chats


async def test_owners_equal_under_a_collation_are_distinguished(
    careless: Database[Any],
) -> None:
    chats = await of_bobs(careless)

    for bob, chat in chats.items():
        assert [each.id for each in await list_chats(careless, owner=bob)] == [chat.id]
        assert [c.id for c in await list_chats(careless, owner=bob, search="SECRET")] == [chat.id]
        (row,) = await usage(careless, owner=bob)
        assert row.usage.requests == 1
        for stranger in BOBS:
            if stranger == bob:
                assert (await load_chat(careless, Script(), chat.id, owner=bob)).id == chat.id
                continue
            with pytest.raises(ChatNotFound):
                await load_chat(careless, Script(), chat.id, owner=stranger)
            with pytest.raises(ChatNotFound):
                await delete_chat(careless, chat.id, owner=stranger)
            with pytest.raises(ChatNotFound):
                [line async for line in export_chat(careless, chat.id, owner=stranger)]
            with pytest.raises(ChatNotFound):
                await message_history(careless, chat.id, owner=stranger)


async def test_a_report_has_a_row_for_each_owner(careless: Database[Any]) -> None:
    await of_bobs(careless)

    rows = await usage(careless, by=["owner"])

    assert {row.by["owner"]: row.usage.requests for row in rows} == dict.fromkeys(BOBS, 1)


async def test_a_purge_of_one_owner_leaves_the_others(careless: Database[Any]) -> None:
    chats = await of_bobs(careless)

    assert await purge(careless, older_than=timedelta(0), owner="bob") == 1

    left = {chat.id for chat in await list_chats(careless)}
    assert left == {chat.id for bob, chat in chats.items() if bob != "bob"}


async def test_each_owner_has_a_budget_of_their_own(careless: Database[Any]) -> None:
    budgets = [Budget(tokens=1, by="owner")]
    chats = await of_bobs(careless, budgets=budgets)

    for bob, chat in chats.items():
        with pytest.raises(BudgetExceeded, match=f"owner={bob!r}") as refusal:
            await chat.ask("Once more?")
        assert refusal.value.whose == bob


async def test_a_client_sees_nothing_of_a_lookalike_owner(careless: Database[Any]) -> None:
    chats = await of_bobs(careless)
    routes = chat_routes(careless, Script(), owner=lambda request: {"owner": request.headers["x"]})
    transport = httpx.ASGITransport(Starlette(routes=routes))

    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        for name, status in (("Bob", 200), ("bob", 404), ("BOB", 404)):
            found = await page.get(f"/{chats['Bob'].id}", headers={"x": name})
            assert found.status_code == status, name


@pytest.mark.parametrize("name", RIGHT)
async def test_a_column_of_any_type_can_be_the_scope(own: Database[Any], name: str) -> None:
    """The owner's value finds the chat; a stranger's, and none, do not."""
    mine, theirs = RIGHT[name]
    chat = await create_chat(own, Script([say("hi")]), **{name: mine})
    await chat.ask("Hi!")
    nobodys = await create_chat(own, Script(), owner="somebody else")

    assert chat.record.columns[name] == mine
    assert [found.id for found in await list_chats(own, **{name: mine})] == [chat.id]
    assert (await load_chat(own, Script(), chat.id, **{name: mine})).id == chat.id
    for stranger in (theirs, None):
        with pytest.raises(ChatNotFound):
            await load_chat(own, Script(), chat.id, **{name: stranger})
    if name != "owner":
        nothing = await list_chats(own, **{name: None})
        assert [found.id for found in nothing] == [nobodys.id], "None is a value like the others"
    (row,) = [row for row in await usage(own, by=[name]) if row.by[name] is not None]
    assert (row.by[name], row.usage.requests) == (mine, 1)


@pytest.mark.parametrize("name", WRONG)
async def test_a_value_of_the_wrong_type_is_reported_by_name(own: Database[Any], name: str) -> None:
    chat = await create_chat(own, Script())

    for value, told in WRONG[name]:
        given = {name: value}
        doors = (
            partial(create_chat, own, Script()),
            partial(load_chat, own, Script(), chat.id),
            partial(list_chats, own),
            partial(delete_chat, own, chat.id),
            partial(purge, own, older_than=timedelta(0)),
            partial(usage, own),
            partial(import_chat, own, []),
            partial(import_history, own, [], format="openai"),
            partial(message_history, own, chat.id),
        )
        for door in doors:
            with pytest.raises(TypeError, match=f"{name}= .*{told}"):
                await door(**given)
        for plain in (partial(export_chat, own, chat.id), partial(Persisted, own)):
            with pytest.raises(TypeError, match=f"{name}= .*{told}"):
                plain(**given)

    assert [found.id for found in await list_chats(own)] == [chat.id], "nothing was written"


async def test_a_page_cannot_ask_with_a_value_of_another_type(
    own: Database[Any], caplog: pytest.LogCaptureFixture
) -> None:
    chat = await create_chat(own, Script([say("hi")]), owner="Bob")

    for scope, told in (({"owner": 0}, "owner= takes str"), ({"ownr": "Bob"}, "no column 'ownr'")):
        routes = chat_routes(own, Script(), owner=lambda _, scope=scope: scope)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
            assert (await page.get(f"/{chat.id}")).status_code == 500
            assert told in caplog.text


async def test_what_a_column_cannot_hold_is_refused(own: Database[Any]) -> None:
    for given, match in (
        ({"owner": "x" * 101}, "owner= takes at most 100 characters"),
        ({"exact": "x" * 256}, "exact= takes at most 255 characters"),
        ({"level": "medium"}, "level= is one of 'low', 'high'"),
        ({"team": "GREEN"}, "team= is one of 'RED', 'BLUE'"),
        ({"large": 2**63}, "large= takes a number of 64 bits"),
        ({"price": Decimal("12.304")}, "price= takes at most 2 places"),
        ({"price": Decimal("NaN")}, "price= takes a finite number"),
    ):
        with pytest.raises(ValueError, match=match):
            await create_chat(own, Script(), **given)
        with pytest.raises(ValueError, match=match):
            await list_chats(own, **given)


async def test_json_is_no_scope(own: Database[Any]) -> None:
    chat = await create_chat(own, Script(), tags=["Bob"])

    assert chat.record.columns["tags"] == ["Bob"]
    with pytest.raises(ConfigurationError, match="Declare a column of text or of numbers"):
        await load_chat(own, Script(), chat.id, tags=["Bob"])


@pytest.mark.parametrize("number", range(4))
async def test_a_type_that_is_not_known_is_no_scope(any_url: str, number: int) -> None:
    """Nobody can say whether it takes 'BOB' for 'Bob', or '7abc' for 7."""
    kinds = owners.UNKNOWN_TYPES[make_url(any_url).get_backend_name()]
    name, (kind, value) = list(kinds.items())[number]
    async with tables(any_url, owners.base_with(kind, f"unknown_{name}")) as db:
        chat = await create_chat(db, Script([say("hi")]), owner=value)
        await chat.ask("Hi!")

        for door in (
            partial(load_chat, db, Script(), chat.id),
            partial(list_chats, db),
            partial(delete_chat, db, chat.id),
            partial(purge, db, older_than=timedelta(0)),
            partial(usage, db),
        ):
            with pytest.raises(ConfigurationError, match="Declare a column of text or of numbers"):
                await door(owner=value)
        with pytest.raises(ConfigurationError, match=r"such as String\(100\) or Integer"):
            await usage(db, by=["owner"])
        spent = await load_chat(db, Script(), chat.id, budgets=[Budget(tokens=1, by="owner")])
        with pytest.raises(ConfigurationError, match="Declare a column of text or of numbers"):
            await spent.ask("Once more?")
        assert [found.id for found in await list_chats(db)] == [chat.id]


async def test_a_domain_is_compared_as_what_it_is_made_of(postgresql_url: str) -> None:
    kind = postgresql.DOMAIN("owner_ci", postgresql.CITEXT())
    async with tables(postgresql_url, owners.base_with(kind, "domain")) as db:
        chats = {bob: await create_chat(db, Script(), owner=bob) for bob in BOBS}

        for bob, chat in chats.items():
            assert [found.id for found in await list_chats(db, owner=bob)] == [chat.id]
        with pytest.raises(TypeError, match="owner= takes str, not int"):
            await list_chats(db, owner=0)


async def test_bytes_that_a_fixed_width_would_fill_up_are_refused(mariadb_url: str) -> None:
    async with tables(mariadb_url, owners.base_with(BINARY(5), "filled")) as db:
        chat = await create_chat(db, Script(), owner=b"Bobby")

        assert [found.id for found in await list_chats(db, owner=b"Bobby")] == [chat.id]
        for door in (partial(create_chat, db, Script()), partial(list_chats, db)):
            for short in (b"Bob", b"Bobby\0"):
                with pytest.raises(ValueError, match="declare the column as VARBINARY"):
                    await door(owner=short)


async def test_bytes_of_a_limited_length_are_the_scope_to_the_letter(any_url: str) -> None:
    kind = VARBINARY(5).with_variant(postgresql.BYTEA(), "postgresql")
    async with tables(any_url, owners.base_with(kind, "limited")) as db:
        chats = {bob: await create_chat(db, Script(), owner=bob) for bob in (b"Bob", b"Bob\0")}

        for bob, chat in chats.items():
            assert [found.id for found in await list_chats(db, owner=bob)] == [chat.id]
        with pytest.raises(TypeError, match="owner= takes bytes, not str: pass its bytes"):
            await list_chats(db, owner="Bob")
        with pytest.raises(ValueError, match="owner= takes at most 5 bytes"):
            await create_chat(db, Script(), owner=b"Robert")


async def test_an_owner_that_a_fixed_width_would_change_is_refused(any_url: str) -> None:
    async with tables(any_url, owners.base_with(CHAR(10), "fixed")) as db:
        chat = await create_chat(db, Script([say("hi")]), owner="Bob")
        await chat.ask("Hi!")

        assert [found.id for found in await list_chats(db, owner="Bob")] == [chat.id]
        for door in (partial(create_chat, db, Script()), partial(list_chats, db)):
            with pytest.raises(ValueError, match="declare the column as String"):
                await door(owner="Bob ")
        spent = await load_chat(db, Script(), chat.id, budgets=[Budget(tokens=1, by="owner")])
        with pytest.raises(BudgetExceeded):
            await spent.ask("Once more?")


async def test_a_table_that_changes_an_owner_is_found_out(db: Database) -> None:
    """Made by hand, with a type that SQLite takes for a number: '007' would become 7."""
    base = owners.base_with(String(100), "byhand")
    async with Database(db.engine, models=base) as hand:
        await hand.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE byhand_chats DROP COLUMN owner"))
            await connection.execute(text("ALTER TABLE byhand_chats ADD COLUMN owner STRING"))

        with pytest.raises(ConfigurationError, match="owner= was not stored as it is"):
            await create_chat(hand, Script(), owner="007")

        assert await list_chats(hand) == []


async def test_the_index_of_an_owner_still_serves(own: Database[Any]) -> None:
    """The exact comparison stands beside the plain one, and does not take its place."""
    statement = own.store._sql.list_chats({"owner": "Bob"}, after_key=False).limit(20)
    wanted = statement.compile(own.engine.sync_engine, compile_kwargs={"literal_binds": True})
    plan = "EXPLAIN QUERY PLAN" if own.engine.dialect.name == "sqlite" else "EXPLAIN"
    async with own.engine.connect() as connection:
        if own.engine.dialect.name == "postgresql":
            await connection.execute(text("SET enable_seqscan = off"))
        told = await connection.exec_driver_sql(f"{plan} {wanted}")
        assert "ix_scoped_chats_owner" in str(told.all())


async def test_a_conversation_store_keeps_to_the_type_of_its_scope(own: Database[Any]) -> None:
    pytest.importorskip("pydantic_ai.conversation_store")  # 2.62 does not have it
    from chatrecord.pydantic_ai.conversations import PersistedConversations

    with pytest.raises(TypeError, match="no column 'ownr'"):
        PersistedConversations(own, scope_column="ownr")

    store = PersistedConversations(own, scope_column="number")
    with pytest.raises(TypeError, match="number= takes int, not str"):
        await store.read_records(scope="7abc")
