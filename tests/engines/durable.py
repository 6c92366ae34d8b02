"""What becomes of an agent with DBOSDurability, inside and outside of workflows. Prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable

from dbos import DBOS
from pydantic_ai import Agent
from pydantic_ai.durable_exec.dbos import DBOSDurability
from pydantic_ai.models.test import TestModel

from chatrecord.pydantic_ai import Persisted
from chatrecord.sqlalchemy import Database, create_chat, list_chats

folder = sys.argv[1]
DBOS(
    config={
        "name": "durable",
        "system_database_url": f"sqlite:///{folder}/dbos.db",
        "log_level": "CRITICAL",
    }
)
db = Database(f"sqlite:///{folder}/chats.db")
agent = Agent(TestModel(custom_output_text="hi"), name="hr", capabilities=[DBOSDurability()])
recorded = Agent(
    TestModel(custom_output_text="hi"),
    name="recorded",
    capabilities=[DBOSDurability(), Persisted(db)],
)


async def ask() -> str:
    chat = await create_chat(db, agent)
    return (await chat.ask("Hello")).text


@DBOS.step()
async def asked_in_a_step() -> str:
    return await ask()


@DBOS.workflow()
async def step_in_a_workflow() -> str:
    return await asked_in_a_step()


@DBOS.workflow()
async def asked_in_a_workflow() -> str:
    return await ask()


@DBOS.workflow()
async def persisted_in_a_workflow() -> str:
    return (await recorded.run("Hello")).output


@DBOS.step()
async def answered(chat_id: str, key: str) -> str:
    chat = await create_chat(db, agent) if chat_id == "new" else None
    assert chat is not None
    run_id = await chat.submit("Hello", idempotency_key=key)
    return (await db.work_on(run_id, lambda _: agent)).text


@DBOS.workflow()
async def submitted_in_a_workflow() -> str:
    return await answered("new", str(DBOS.workflow_id))


async def tried(work: Awaitable[str]) -> str:
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - told to the test
        return f"{type(error).__name__}: {error}"


async def main() -> None:
    DBOS.launch()
    await db.create_tables()
    found = {
        "outside": await tried(ask()),
        "step": await tried(step_in_a_workflow()),
        "workflow": await tried(asked_in_a_workflow()),
        "persisted": await tried(persisted_in_a_workflow()),
        "submitted": await tried(submitted_in_a_workflow()),
        "chats": len(await list_chats(db)),
    }
    await db.close()
    print(json.dumps(found))


asyncio.run(main())
DBOS.destroy()
