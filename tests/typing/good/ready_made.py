"""Use of the ready-made tables that a type checker passes."""

from contextvars import ContextVar
from decimal import Decimal

from pydantic import BaseModel
from pydantic_ai import Agent

from chatrecord import Compact, Limits, Reply, Window
from chatrecord.sqlalchemy import Database, create_chat, delete_chat, list_chats, load_chat


class Invoice(BaseModel):
    total: Decimal


tenant: ContextVar[str] = ContextVar("tenant")
of_tenants = Database(
    "postgresql://localhost/chats",
    partition=tenant,
    partition_setting="app.tenant",
    pooler="transaction",
    listen_url="postgresql://localhost:5432/chats",
)
by_column = Database("sqlite:///chats.db", partition="user_id")


async def use() -> Decimal | None:
    db = Database("sqlite:///chats.db")
    chat = await create_chat(
        db,
        "openai:gpt-5.2",
        user_id="u1",
        metadata={"team": "HR"},
        limits=Limits(cost=Decimal("0.5")),
        window=Window(messages=50),
        on_disconnect="stop",
        compact=Compact(above=8_000, keep=2, llm="openai:gpt-5-nano"),
        titles=True,
    )
    reply: Reply[str] = await chat.ask("hello")
    typed = await chat.ask("the invoice", output_type=Invoice)
    total: Decimal = typed.output.total
    async with chat.stream("and now?") as stream:
        async for chunk in stream:
            print(chunk.text, chunk.tool_call.name if chunk.tool_call else "")
    loaded = await load_chat(db, Agent("openai:gpt-5.2"), chat.id, user_id="u1")
    page = await list_chats(db, user_id="u1", limit=5)
    await list_chats(db, before=page[-1], search="invoice")
    title: str = await loaded.generate_title("openai:gpt-5-nano", instructions="Be brief.")
    await loaded.rename(title.upper())
    await delete_chat(db, loaded.id, user_id="u1")
    return reply.cost or total
