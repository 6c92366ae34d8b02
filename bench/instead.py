"""The same turn through what one would take instead, on PostgreSQL.

    pip install --group bench
    python bench/instead.py postgresql://me@localhost/postgres   # it makes its own databases

A turn with one tool call and an answer of 600 letters, the LLM scripted in each library's own way.
Persistence is the turn less the same turn of the same library without any. Whose packages are
missing is left out. The server should be nobody else's: its transactions and log are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg

from chatrecord.pydantic_ai.messages import history_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import (
    NEVER,
    TEXT,
    Answers,
    Cost,
    Drained,
    add,
    backend_of,
    dsn_of,
    empty_database,
    lengthen,
    servers,
    show,
    side_by_side,
    ticking,
)
from streams import log_position

LENGTHS = (10, 1_000, 10_000)
PROMPT = "What are one and two?"

Work: TypeAlias = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Subject:
    """A turn with persistence, and the same without."""

    kept: Work
    alone: Work


@dataclass(frozen=True)
class Result:
    name: str
    before: int
    persistence: Cost
    commits: float
    log: float
    """Bytes of write-ahead log a turn."""


@asynccontextmanager
async def ours(url: str, before: int) -> AsyncIterator[Subject]:
    from pydantic_ai import Agent

    llm = Answers()
    async with Database(url) as db:
        await db.create_tables()
        template = await create_chat(db, llm, tools=[add])
        await template.ask(PROMPT)
        pair = [(await template.messages())[place] for place in (0, -1)]
        await lengthen(db, template.id, before, pair)
        chat = await load_chat(db, llm, template.id, tools=[add])
        history = history_of(pair * (min(before, 400) // 2), is_going_on=False)
        agent = Agent(Drained(llm), tools=[add])
        yield Subject(lambda: chat.ask(PROMPT), lambda: agent.run(PROMPT, message_history=history))


@asynccontextmanager
async def json_by_hand(url: str, before: int) -> AsyncIterator[Subject]:
    """As pydantic-ai's documentation shows it: a row of JSON for each run."""
    from pydantic_ai import Agent, ModelMessagesTypeAdapter
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    agent = Agent(Drained(Answers()), tools=[add])
    pair = [ModelRequest(parts=[UserPromptPart(PROMPT)]), ModelResponse(parts=[TextPart(TEXT)])]
    async with asyncpg.create_pool(dsn_of(url), min_size=1) as pool:
        await pool.execute(
            "CREATE TABLE messages (id bigserial PRIMARY KEY, chat uuid, list jsonb);"
            "CREATE INDEX ON messages (chat, id)"
        )
        insert = "INSERT INTO messages (chat, list) VALUES ($1, $2)"
        chat = uuid4()
        one = ModelMessagesTypeAdapter.dump_json(pair).decode()
        async with pool.acquire() as connection:
            await connection.executemany(insert, [(chat, one)] * (before // 2))

        async def kept() -> None:
            sql = "SELECT list FROM messages WHERE chat = $1 ORDER BY id"
            history = [
                message
                for row in await pool.fetch(sql, chat)
                for message in ModelMessagesTypeAdapter.validate_json(row[0])
            ]
            result = await agent.run(PROMPT, message_history=history)
            await pool.execute(insert, chat, result.new_messages_json().decode())

        history = pair * (before // 2)
        yield Subject(kept, lambda: agent.run(PROMPT, message_history=history))


@asynccontextmanager
async def openai_agents(url: str, before: int) -> AsyncIterator[Subject]:
    from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, function_tool
    from agents.extensions.memory import SQLAlchemySession
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseOutputText,
    )
    from sqlalchemy.ext.asyncio import create_async_engine

    class Scripted(Model):
        async def get_response(self, *_: Any, **request: Any) -> Any:
            output: Any
            if request["input"][-1].get("type") == "function_call_output":
                text = ResponseOutputText(text=TEXT, type="output_text", annotations=[])
                output = ResponseOutputMessage(
                    id="m", content=[text], role="assistant", status="completed", type="message"
                )
            else:
                output = ResponseFunctionToolCall(
                    arguments='{"a": 1, "b": 2}', call_id="c", name="add", type="function_call"
                )
            return ModelResponse([output], Usage(), None)

        def stream_response(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    agent = Agent(name="bench", model=Scripted(), tools=[function_tool(add)])
    engine = create_async_engine(dsn_of(url).replace("postgresql:", "postgresql+asyncpg:"))
    session = SQLAlchemySession("bench", engine=engine, create_tables=True)
    pair: list[Any] = [
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": TEXT},
    ]
    await session.add_items(pair * (before // 2))
    quiet = RunConfig(tracing_disabled=True)
    given = [*pair * (before // 2), {"role": "user", "content": PROMPT}]
    yield Subject(
        lambda: Runner.run(agent, PROMPT, session=session, run_config=quiet),
        lambda: Runner.run(agent, given, run_config=quiet),
    )
    await engine.dispose()


@asynccontextmanager
async def langgraph(url: str, before: int) -> AsyncIterator[Subject]:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.graph import END, START, MessagesState, StateGraph

    async def model(state: Any) -> Any:
        if isinstance(state["messages"][-1], ToolMessage):
            return {"messages": [AIMessage(TEXT)]}
        call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "c"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    async def tools(_state: Any) -> Any:
        return {"messages": [ToolMessage(str(add(1, 2)), tool_call_id="c")]}

    def route(state: Any) -> str:
        return "tools" if getattr(state["messages"][-1], "tool_calls", None) else END

    graph = StateGraph(MessagesState)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", route)
    graph.add_edge("tools", "model")
    async with AsyncPostgresSaver.from_conn_string(dsn_of(url)) as saver:
        await saver.setup()
        saved, alone = graph.compile(checkpointer=saver), graph.compile()
        config: Any = {"configurable": {"thread_id": "bench"}}
        old: list[Any] = [
            HumanMessage(PROMPT) if place % 2 == 0 else AIMessage(TEXT) for place in range(before)
        ]
        await saved.aupdate_state(config, {"messages": old}, as_node="model")
        asked: Any = {"messages": [HumanMessage(PROMPT)]}
        given: Any = {"messages": [*old, HumanMessage(PROMPT)]}
        yield Subject(lambda: saved.ainvoke(asked, config), lambda: alone.ainvoke(given))


SUBJECTS = {
    "chatrecord": ours,
    "pydantic-ai, JSON by hand": json_by_hand,
    "OpenAI Agents SQLAlchemySession": openai_agents,
    "LangGraph AsyncPostgresSaver": langgraph,
}


async def measure(server: str, lengths: Sequence[int], rounds: int) -> list[Result]:
    results = []
    for before in lengths:
        open_subjects: dict[str, tuple[str, Subject]] = {}
        async with _closing() as enter:
            for name, subject in SUBJECTS.items():
                url = await enter(empty_database(server))
                try:
                    open_subjects[name] = url, await enter(subject(url, before))
                except ModuleNotFoundError as missing:
                    print(f"skipped: {name} needs {missing.name}: pip install --group bench")
            turns = {
                key: _ready(work)
                for name, (_, subject) in open_subjects.items()
                for key, work in ((name, subject.kept), (f"{name} alone", subject.alone))
            }
            costs = await side_by_side(turns, rounds)
            for name, (url, subject) in open_subjects.items():
                transactions, log = await _written(url, subject.kept)
                persistence = costs[name] - costs[f"{name} alone"]
                results.append(Result(name, before, persistence, transactions, log))
    return results


@asynccontextmanager
async def _closing() -> AsyncIterator[Any]:
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        yield stack.enter_async_context


def _ready(work: Work) -> Any:
    async def ready() -> Work:
        return work

    return ready


async def _written(url: str, turn: Work, turns: int = 20) -> tuple[float, float]:
    """Writing transactions and bytes of log a turn; medians, for the server writes its own, too."""
    taken = []
    for _ in range(turns):
        before = await _transactions(url), await log_position(url)
        await turn()
        after = await _transactions(url), await log_position(url)
        taken.append((after[0] - before[0], after[1] - before[1]))
    transactions, logged = zip(*taken, strict=True)
    return median(transactions), median(logged)


async def _transactions(url: str) -> int:
    connection = await asyncpg.connect(dsn_of(url))
    number: int = await connection.fetchval(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int"
    )
    await connection.close()
    return number


def table(results: list[Result]) -> None:
    first = {result.before: result for result in results if result.name == "chatrecord"}
    show(
        "One more turn with a tool call, PostgreSQL",
        [
            *("", "messages before", "persistence ms", "CPU ms", "time to chatrecord's"),
            *("commits", "log kB"),
        ],
        [
            [
                result.name,
                result.before,
                result.persistence.wall * 1000,
                result.persistence.cpu * 1000,
                result.persistence.wall / first[result.before].persistence.wall,
                result.commits,
                result.log / 1000,
            ]
            for result in results
        ],
    )


TINY = {"lengths": (4,), "rounds": 1}


async def run(
    on: Sequence[str], lengths: Sequence[int] = LENGTHS, rounds: int = 12
) -> list[Result]:
    results = []
    with ticking(NEVER):
        for server in on:
            if backend_of(server) == "PostgreSQL":
                results += await measure(server, lengths, rounds)
    return results


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
