#!/usr/bin/env bash
# chainlit 2.12.0 with SQLAlchemy 2.1.9 and aiosqlite 0.22.1, Python 3.11.
#
# A function with @cl.step(type="tool") returns at once. One would expect a row in `steps` with its input
# and its output.
# Seen: for some of the calls (a third to a half here, nine of ten on PostgreSQL) the row has neither. A step is
# written by two tasks that nobody waits for, one when it starts and one when it ends. Each writes the whole
# row, on a connection of its own, and the later write wins. Steps that took a tenth of a second were stored
# with both.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "chainlit==2.12.0" "sqlalchemy==2.1.9" "aiosqlite==0.22.1" greenlet

cat > "$work/see.py" <<'PYTHON'
import asyncio
import sqlite3
import sys

import chainlit as cl
from chainlit import data
from chainlit.context import init_http_context
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer

TABLES = """
    CREATE TABLE threads (
        "id" TEXT PRIMARY KEY, "createdAt" TEXT, "name" TEXT, "userId" TEXT,
        "userIdentifier" TEXT, "tags" TEXT, "metadata" TEXT
    );
    CREATE TABLE steps (
        "id" TEXT PRIMARY KEY, "name" TEXT, "type" TEXT, "threadId" TEXT, "parentId" TEXT,
        "streaming" BOOLEAN, "waitForAnswer" BOOLEAN, "isError" BOOLEAN, "metadata" TEXT,
        "tags" TEXT, "input" TEXT, "output" TEXT, "createdAt" TEXT, "command" TEXT, "start" TEXT,
        "end" TEXT, "generation" TEXT, "showInput" TEXT, "language" TEXT, "indent" INT,
        "defaultOpen" BOOLEAN, "autoCollapse" BOOLEAN, "modes" TEXT
    );
"""


@cl.step(type="tool")
async def look_up(word: str) -> str:
    return f"the meaning of {word}"


async def main(path: str) -> None:
    database = sqlite3.connect(path)
    database.executescript(TABLES)
    layer = SQLAlchemyDataLayer(f"sqlite+aiosqlite:///{path}")
    data._data_layer, data._data_layer_initialized = layer, True
    init_http_context()

    for _ in range(40):
        await look_up("leave")
        await asyncio.sleep(0.1)  # both tasks have ended by then
    await layer.engine.dispose()

    [(rows, empty)] = database.execute("SELECT count(*), sum(output = '' AND input = '') FROM steps")
    print(f"{rows} rows, {empty} of them with neither input nor output")


asyncio.run(main(sys.argv[1]))
PYTHON

mkdir "$work/app"
seen=$(cd "$work/app" && CHAINLIT_APP_ROOT="$work/app" "$work/venv/bin/python" "$work/see.py" "$work/chats.db" \
  2>/dev/null)
echo "$seen"
[[ "$seen" == "40 rows, "* && "$seen" != "40 rows, 0 of"* ]]
