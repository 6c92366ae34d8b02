#!/usr/bin/env bash
# SQLAlchemy 2.1.9 with aiosqlite 0.22.1, Python 3.11.
#
# A task is cancelled while its statement runs on SQLite in memory, on the one connection that
# StaticPool keeps. One would guess that the statement's transaction is rolled back and all else stays.
# Seen: SQLAlchemy takes the interrupted connection for broken and closes it, and the database in
# memory goes with it. The next statement finds no table.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "sqlalchemy[asyncio]==2.1.9" "aiosqlite==0.22.1"

cat > "$work/see.py" <<'PYTHON'
import asyncio

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

LONG = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
    SELECT count(*) FROM n
"""


async def main() -> None:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE kept (a INTEGER)"))
        await connection.execute(text("INSERT INTO kept VALUES (1)"))

    async def count() -> None:
        async with engine.connect() as connection:
            await connection.execute(text(LONG))

    counting = asyncio.create_task(count())
    await asyncio.sleep(0.05)
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)

    try:
        async with engine.connect() as connection:
            print("rows:", (await connection.execute(text("SELECT a FROM kept"))).all())
    except OperationalError as error:
        print(error.orig)
    await engine.dispose()


asyncio.run(main())
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "seen: $seen"
[ "$seen" = "no such table: kept" ]
