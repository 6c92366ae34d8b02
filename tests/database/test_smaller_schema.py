"""A schema without all tables, or of an earlier version without all columns."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import DeclarativeBase

from chatrecord import Compact
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    create_chat,
    export_chat,
    import_chat,
    usage,
)
from chatrecord.testing import Script, say


async def test_summaries_and_titles_need_no_table_of_requests(any_url: str) -> None:
    async with Database(any_url, keep_requests=False) as db:
        script = Script(*[[say("word " * 60)] for _ in range(3)])
        compact = Compact(above=100, keep=1, llm=Script([say("the gist")]))
        chat = await create_chat(db, script, compact=compact)
        for n in range(3):
            await chat.ask(f"q{n}")

        (summary,) = await chat.summaries()
        assert await chat.generate_title(llm=Script([say("Words")])) == "Words"
        answers = [m for m in await chat.messages() if m.role == "assistant"]
        used = sum(each.tokens.output or 0 for each in (summary, *answers))
        assert (await chat.usage()).output_tokens == used
        await db.repair()  # looks for open requests, too, where there is a table of them


class Base(DeclarativeBase):
    """The tables of a team that wants no list prices."""


class Chat(ChatMixin, Base):
    __tablename__ = "lean_chats"


class Run(RunMixin, Base):
    __tablename__ = "lean_runs"


class Message(MessageMixin, Base):
    __tablename__ = "lean_messages"


class ToolCall(ToolCallMixin, Base):
    __tablename__ = "lean_tool_calls"


class Request(RequestMixin, Base):
    __tablename__ = "lean_requests"
    list_cost = None  # type: ignore[assignment]


class Chunk(ChunkMixin, Base):
    __tablename__ = "lean_chunks"


class Known(Script):
    """A script by the name of a model whose price is known."""

    model_name = "gpt-4o"
    system = "openai"


async def test_a_table_may_lack_the_list_price(own_url: str) -> None:
    async with Database(own_url, models=Base) as db:
        await db.create_tables()
        assert "list_cost" not in await columns(db, "lean_requests")
        chat = await create_chat(db, Known([say("hi")]))

        reply = await chat.ask("Hi")

        (request,) = await chat.requests()
        assert request.cost == reply.cost
        assert reply.cost
        assert request.list_cost is None
        (row,) = await usage(db)
        assert row.usage.cost == reply.cost
        lines = [line async for line in export_chat(db, chat.id)]
        copied = await import_chat(db, lines, new_ids=True)
        assert (await db.store.usage(copied.id)).cost == reply.cost


async def test_a_table_of_an_earlier_version_gets_the_list_price(own_url: str) -> None:
    async with Database(own_url) as db:
        await db.create_tables()
        chat = await create_chat(db, Known([say("hi")], [say("ho")]))
        await chat.ask("Hi")
        async with db.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE llm_requests DROP COLUMN list_cost"))
        assert "list_cost" not in await columns(db, "llm_requests")

        await db.create_tables()
        await db.create_tables()

        assert "list_cost" in await columns(db, "llm_requests")
        await chat.ask("Again")
        before, after = await chat.requests()
        assert (before.list_cost, after.list_cost) == (None, after.cost)
        assert before.cost
        assert after.cost


async def columns(db: Database, table: str) -> set[str]:
    async with db.engine.connect() as connection:
        found = await connection.run_sync(lambda sync: inspect(sync).get_columns(table))
    return {column["name"] for column in found}
