"""However many chats there are, what is called often reads no whole table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from plans import analyze, counting, explained, fill, scanned
from sqlalchemy.exc import DBAPIError

from chatrecord import Budget
from chatrecord.sqlalchemy import Database, create_chat, list_chats, usage
from chatrecord.testing import Script, say


async def test_no_query_of_a_budget_a_repair_or_a_report_of_days_scans_a_table(
    own_url: str,
) -> None:
    """However many requests there are: past days are read from their sums."""
    async with Database(own_url) as db:
        await fill(db, 2000, chats=8000)  # their rows are small
        await db.repair()
        await analyze(db)
        script = Script([say("hello")])
        budgets = [Budget(tokens=10**9, per=per) for per in ("day", "week", "month", None)]
        chat = await create_chat(db, script, budgets=budgets)

        with counting(db) as counted:
            await chat.ask("Hi!")
            await db.repair()
            since = datetime.now(UTC) - timedelta(days=300)
            for by in (["day"], ["month", "model"], ["agent", "status", "provider"]):
                await usage(db, by=by)
                await usage(db, by=by, since=since)

        assert len(counted.statements) > 20
        for sql, parameters in counted.statements:
            plan = await explained(db, sql, parameters)
            read = set(scanned(db, plan)) - {"llm_usage_days", "days", "both", "rows"}
            assert not read, f"{sql}\n{plan}"


async def test_a_search_of_all_chats_uses_an_index_of_trigrams(own_url: str) -> None:
    async with Database(own_url) as db:
        if db.engine.dialect.name != "postgresql":
            pytest.skip("only PostgreSQL has one")
        async with db.engine.begin() as connection:
            try:
                await connection.exec_driver_sql("CREATE EXTENSION pg_trgm")
            except DBAPIError:
                pytest.skip("this user may not create the extension")
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql(
                "CREATE INDEX words ON llm_chats USING gin (title gin_trgm_ops)"
            )
        for place in range(3):
            await create_chat(db, Script(), title=f"Trains {place}")
        await fill(db, 5000)
        await analyze(db)

        with counting(db) as counted:
            found = await list_chats(db, search="TRAIN")

        assert len(found) == 3
        sql, parameters = counted.statements[0]
        assert "Index Scan on words" in await explained(db, sql, parameters)
