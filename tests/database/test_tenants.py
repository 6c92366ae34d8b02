"""Tenants that policies on rows keep apart share one `Database`, and each has all of its answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import Context, ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from drivers import DRIVERS
from fastapi import FastAPI
from pydantic_ai import Agent, Tool
from sqlalchemy import URL, event, text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from tenancy import PAGE, policies, set_tenant, tenant, tenant_is

from chatrecord.errors import (
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    LeaseLost,
    RunNotFound,
    RunStopped,
)
from chatrecord.fastapi import chat_router
from chatrecord.hooks import Hook
from chatrecord.pydantic_ai import Persisted
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    list_chats,
    load_chat,
    purge,
    sync,
    usage,
)
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.testing import Script, call, hang, meet, say
from chatrecord.web import chat_routes

pytestmark = pytest.mark.parametrize("module_url", ["postgresql"], indirect=True)
drivers = pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])

WORDS = [f"word{number} " for number in range(8)]

Result = TypeVar("Result")


@pytest.fixture(scope="module")
def tenant_url(module_url: str) -> Iterator[URL]:
    """A role that sees the rows of its tenant only."""
    with policies(module_url) as found:
        yield found


@pytest.fixture
async def db(tenant_url: URL) -> AsyncIterator[Database]:
    async with of_tenants(tenant_url) as db:
        yield db


@pytest.fixture
async def elsewhere(tenant_url: URL) -> AsyncIterator[Database]:
    """The same, as another process has it."""
    async with of_tenants(tenant_url) as db:
        yield db


@pytest.fixture
def names() -> list[str]:
    """Twenty tenants that no other test has."""
    return [f"t{uuid4().hex[:6]}" for _ in range(20)]


def of_tenants(url: URL, **options: Any) -> Database:
    return Database(url, partition=tenant, partition_setting="app.tenant", **options)


def spoken(name: str) -> str:
    return "".join(f"{name} {word}" for word in WORDS)


def script(name: str) -> Script:
    return Script([say(*(f"{name} {word}" for word in WORDS), pause=0.03)])


async def streamed(db: Database, name: str) -> str:
    chat = await create_chat(db, script(name), user_id=name)
    return "".join([chunk.text async for chunk in chat.stream("Go")])


async def at_once(names: list[str], work: Callable[[str], Awaitable[Result]]) -> list[Result]:
    """Each tenant in a task, and so in a context, of its own."""

    async def done(name: str) -> Result:
        tenant.set(name)
        return await work(name)

    return await asyncio.gather(*(asyncio.create_task(done(name)) for name in names))


@drivers
async def test_tenants_at_once_have_all_of_their_answers_and_see_no_others(
    tenant_url: URL, names: list[str], driver: str
) -> None:
    async with of_tenants(tenant_url.set(drivername=DRIVERS[driver])) as db:
        answers = await at_once(names, lambda name: streamed(db, name))
        seen = await at_once(names, lambda _: list_chats(db))

    assert answers == [spoken(name) for name in names]
    assert [[chat.columns["user_id"] for chat in chats] for chats in seen] == [
        [name] for name in names
    ]


async def test_an_event_of_the_engine_may_set_the_tenant(tenant_url: URL, names: list[str]) -> None:
    engine = create_async_engine(tenant_url)
    event.listen(engine.sync_engine, "begin", set_tenant)
    async with Database(engine, partition=tenant.get) as db:
        answers = await at_once(names, lambda name: streamed(db, name))
    await engine.dispose()

    assert answers == [spoken(name) for name in names]


async def test_a_column_of_the_chats_may_tell_tenants_apart(
    tenant_url: URL, names: list[str]
) -> None:
    async with Database(tenant_url, partition="user_id") as db:
        event.listen(db.engine.sync_engine, "begin", set_tenant)
        answers = await at_once(names, lambda name: streamed(db, name))

    assert answers == [spoken(name) for name in names]


async def test_answers_of_tenants_are_followed_and_stopped_from_elsewhere(
    db: Database, elsewhere: Database, names: list[str]
) -> None:
    async def followed(name: str) -> str:
        words = [f"{name} {word}" for word in WORDS]
        told = asyncio.Event()
        llm = Script([say(*words), meet(lambda: told.set() or asyncio.sleep(0)), hang()])
        chat = await create_chat(db, llm)
        asking = asyncio.create_task(chat.ask("Go"))
        await told.wait()
        there = await load_chat(elsewhere, "test", chat.id)
        text = ""
        with pytest.raises(RunStopped):
            async for chunk in there.follow():
                text += chunk.text
                if text == spoken(name):
                    await there.stop()
        with pytest.raises(RunStopped):
            await asking
        return text

    names = names[:8]
    assert await at_once(names, followed) == [spoken(name) for name in names]


async def test_a_repair_ends_the_dead_runs_of_its_tenant_alone(
    tenant_url: URL, elsewhere: Database, names: list[str]
) -> None:
    dying = of_tenants(tenant_url, lease=timedelta(seconds=0.3))

    async def left(name: str) -> object:
        chat = await create_chat(dying, Script([say("half"), hang()]))
        await anext(chat.stream("Go"))
        return chat.id

    chats = await at_once(names[:2], left)
    dying.runtime.journal.pause()
    await asyncio.sleep(0.4)

    with tenant_is("nobody"):
        assert await elsewhere.repair() == 0
    with tenant_is(names[0]):
        assert await elsewhere.repair() == 1
        (_, answer) = await (await load_chat(elsewhere, "test", str(chats[0]))).messages()
        assert (answer.status, answer.text) == ("interrupted", "half")
    with tenant_is(names[1]):
        chat = await load_chat(elsewhere, "test", str(chats[1]))  # which repairs this one
        assert await chat.active_run() is None
    await dying.close()


async def test_a_call_is_approved_and_its_run_resumed_elsewhere(
    db: Database, elsewhere: Database, names: list[str]
) -> None:
    paid: dict[str, str] = {}

    def pay(euros: int) -> str:
        """Pay so much."""
        paid[tenant.get()] = f"{euros}"
        return "paid"

    tools = [Tool(pay, requires_approval=True)]

    async def approved(name: str) -> str:
        number = names.index(name)
        chat = await create_chat(db, Script([call("pay", euros=number)]), tools=tools)
        reply = await chat.ask("Pay")
        assert reply.awaiting_approval
        there = await load_chat(elsewhere, Script([say(f"Paid {number}")]), chat.id, tools=tools)
        (waiting,) = await there.pending_approvals()
        await there.approve(waiting.call_id)
        return (await there.resume()).text

    names = names[:6]
    assert await at_once(names, approved) == [f"Paid {n}" for n in range(len(names))]
    assert paid == {name: str(number) for number, name in enumerate(names)}


async def test_titles_and_hooks_are_in_the_context_of_their_tenant(
    db: Database, names: list[str]
) -> None:
    heard: dict[str, str] = {}

    class Hears(Hook):
        async def on_run_end(self, end: Any) -> None:
            heard[tenant.get()] = end.reply.text

    async def titled(name: str) -> str | None:
        llm = Script([say(f"I am {name}")])
        chat = await create_chat(db, llm, titles=Script([say(f"About {name}")]), hooks=[Hears()])
        await chat.ask("Who?")
        while (found := (await load_chat(db, "test", chat.id)).title) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return found

    names = names[:6]
    assert await at_once(names, titled) == [f"About {name}" for name in names]
    assert heard == {name: f"I am {name}" for name in names}


async def test_a_chat_of_another_tenant_is_none(db: Database, names: list[str]) -> None:
    mine, other = names[:2]
    with tenant_is(mine):
        chat = await create_chat(db, Script([say("Hello")], [say("Again")]))
        await chat.ask("Hi")

    with tenant_is(other):
        with pytest.raises(ChatNotFound, match="row-level policy"):
            await chat.ask("Hi")
        assert await chat.messages() == []
        with pytest.raises(ChatNotFound):
            await load_chat(db, "test", chat.id)
        assert await purge(db, older_than=timedelta(0)) == 0
        assert [row.usage.requests for row in await usage(db)] in ([], [0])
    with tenant_is(mine):
        assert (await chat.ask("Hi")).text == "Again"
        assert [row.usage.requests for row in await usage(db)] == [2]


async def test_a_run_whose_row_a_policy_hides_says_so(tenant_url: URL, names: list[str]) -> None:
    """As without `partition=`: one writer writes for all, as the tenant that was first."""
    async with Database(tenant_url) as db:
        event.listen(db.engine.sync_engine, "begin", set_tenant)
        errors = []

        async def tried(name: str) -> None:
            try:
                await streamed(db, name)
            except LeaseLost as error:
                errors.append(str(error))

        await at_once(names[:3], tried)

    assert errors
    assert all("row-level policy hides it" in error for error in errors)
    assert all("partition=" in error for error in errors)


async def test_a_tenant_whose_rows_are_locked_does_not_delay_the_others(
    module_url: str, db: Database, names: list[str]
) -> None:
    blocked, *others = names[:4]
    owner = create_async_engine(module_url)
    shown = asyncio.Event()

    async def shows(_name: str) -> None:
        chat = await create_chat(db, Script([say("one "), say("two", pause=0.3)]))
        async for _chunk in chat.stream("Go"):
            shown.set()

    waiting = asyncio.create_task(at_once([blocked], shows))
    await shown.wait()
    async with owner.begin() as connection:
        lock = text("SELECT id FROM llm_runs WHERE tenant = :name FOR UPDATE")
        await connection.execute(lock, {"name": blocked})
        await asyncio.sleep(0.5)
        answers = await at_once(others, lambda name: streamed(db, name))
        assert not waiting.done()
    await waiting
    await owner.dispose()

    assert answers == [spoken(name) for name in others]


def test_synchronous_code_has_the_tenant_of_its_thread(tenant_url: URL, names: list[str]) -> None:
    db = of_tenants(tenant_url)
    with tenant_is(names[0]):
        chat = sync.create_chat(db, script(names[0]))
        assert "".join(chunk.text for chunk in chat.stream("Go")) == spoken(names[0])
    with tenant_is(names[1]):
        assert sync.list_chats(db) == []
    sync.wait(db.close())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"partition": 7}, "ContextVar"),
        ({"partition": "no_such_column"}, "user_id"),
        ({"partition_setting": "app.tenant"}, "needs partition="),
        ({"partition": "user_id", "partition_setting": "app.tenant"}, "needs partition="),
        ({"partition": tenant, "partition_setting": "tenant"}, "app.tenant"),
    ],
)
def test_what_cannot_tell_tenants_apart_is_refused(
    tenant_url: URL, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Database(tenant_url, **options)


async def test_a_key_that_is_no_key_is_refused(tenant_url: URL) -> None:
    unhashable: ContextVar[list[str]] = ContextVar("unhashable")
    unhashable.set(["a"])
    async with Database(tenant_url, partition=unhashable) as db:
        event.listen(db.engine.sync_engine, "begin", set_tenant)
        with tenant_is("a"):
            chat = await create_chat(db, Script([say("Hello")]))
            with pytest.raises(ConfigurationError, match="hashable"):
                await chat.ask("Hi")


async def test_without_a_tenant_nothing_is_seen_or_written(
    tenant_url: URL, db: Database, names: list[str]
) -> None:
    with tenant_is(names[0]):
        await create_chat(db, "test", user_id=names[0])

    for by in (tenant, tenant.get):  # the second raises a LookupError
        async with Database(tenant_url, partition=by, partition_setting="app.tenant") as outside:
            assert await list_chats(outside) == []
            with pytest.raises(DatabaseFailed, match="row-level security"):
                await create_chat(outside, "test")


async def test_sums_of_all_are_not_read_where_tenants_are_told_apart(
    module_url: str, db: Database, names: list[str]
) -> None:
    day, columns = (
        datetime(2020, 1, 1, tzinfo=UTC),
        "(day, place, counted_at, requests, priced, reported)",
    )
    async with Database(module_url) as owner, owner.engine.begin() as connection:
        rows = "('2020-01-01', 0, now(), 0, 0, 0), ('2020-01-01', 1, now(), 7, 0, 0)"
        await connection.execute(text(f"INSERT INTO llm_usage_days {columns} VALUES {rows}"))

    with tenant_is(names[0]):
        found = await usage(db, since=day)
        await db.repair()

    assert sum(row.usage.requests for row in found) == 0


async def test_routes_answer_each_tenant_where_their_owner_sets_it(
    db: Database, names: list[str]
) -> None:
    async def owner(request: Request) -> dict[str, str]:
        tenant.set(request.headers["x-tenant"])
        return {"user_id": "ann"}

    routes = chat_routes(db, lambda _request, _scope: script(tenant.get()), owner=owner)
    answers = await asked_by_pages(Starlette(routes=routes), "", names[:5])

    assert answers == [spoken(name) for name in names[:5]]


async def asked_by_pages(app: Any, path: str, names: list[str]) -> list[str]:
    """What a page of each tenant gets. Nothing of the test tells the server who asks."""

    async def asked(name: str) -> str:
        page = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://test",
            headers={"x-tenant": name},
        )
        async with page:
            chat = (await page.post(f"{path}/new", json={})).json()
            question = {"id": "q", "role": "user", "parts": [{"type": "text", "text": "Go"}]}
            sent = {"id": chat["id"], "messages": [question]}
            answer = await page.post(path or "/", json=sent)
            lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
            return "".join(json.loads(line).get("delta", "") for line in lines)

    tasks = [asyncio.create_task(asked(name), context=Context()) for name in names]
    return await asyncio.gather(*tasks)


async def test_closing_keeps_what_each_tenant_was_shown(
    tenant_url: URL, elsewhere: Database, names: list[str]
) -> None:
    closing = of_tenants(tenant_url)

    async def begun(name: str) -> str:
        chat = await create_chat(closing, Script([say(f"half of {name}"), hang()]))
        await anext(chat.stream("Go"))
        return str(chat.id)

    chats = await at_once(names[:5], begun)
    await closing.close()

    for name, chat_id in zip(names, chats, strict=False):
        with tenant_is(name):
            (_, answer) = await (await load_chat(elsewhere, "test", chat_id)).messages()
            assert (answer.status, answer.text) == ("interrupted", f"half of {name}")


async def test_agents_of_your_own_are_recorded_for_each_tenant(
    db: Database, names: list[str]
) -> None:
    async def recorded(name: str) -> list[str]:
        agent = Agent(script(name), capabilities=[Persisted(db)])
        assert (await agent.run("Go")).output == spoken(name)
        (chat,) = await list_chats(db)
        return [
            message.text
            for message in await (await load_chat(db, "test", chat.id, any_agent=True)).messages()
        ]

    assert await at_once(names[:5], recorded) == [["Go", spoken(name)] for name in names[:5]]


async def test_a_router_of_fastapi_answers_each_tenant(db: Database, names: list[str]) -> None:
    async def owner(request: Request) -> dict[str, str]:
        tenant.set(request.headers["x-tenant"])
        return {"user_id": "ann"}

    app = FastAPI()
    router = chat_router(db, lambda _request, _scope: script(tenant.get()), owner=owner)
    app.include_router(router)
    assert await asked_by_pages(app, "/chats", names[:5]) == [spoken(name) for name in names[:5]]


async def test_events_are_those_of_their_tenant(db: Database, names: list[str]) -> None:
    async def happened(name: str) -> set[str]:
        chat = await create_chat(db, Script([say("Hello")]))
        await chat.ask("Hi")
        found = [event async for event in db.events(follow=False)]
        assert {event.type for event in found} >= {"run.complete"}
        return {str(event.chat_id == chat.id) for event in found}

    assert await at_once(names[:5], happened) == [{"True"}] * 5


async def test_a_worker_answers_for_the_tenant_that_it_is_told(
    db: Database, elsewhere: Database, names: list[str]
) -> None:
    async def answered(name: str) -> str:
        chat = await create_chat(db, script(name))
        run_id = await chat.submit("Go")
        with tenant_is("nobody"), pytest.raises(RunNotFound):
            await elsewhere.work_on(run_id, lambda _chat: script(name))
        return (await elsewhere.work_on(run_id, lambda _chat: script(name))).text

    assert await at_once(names[:5], answered) == [spoken(name) for name in names[:5]]


def test_the_page_has_a_policy_for_each_table_or_says_why_not(module_url: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (policies_of_page,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    tables = {table.name for table in READY_MADE.tables}

    without = {name for name in tables if f"'{name}'" not in policies_of_page}
    assert without == {"llm_usage_days", "llm_event_readers"}
    assert all(f"`{name}`" in page for name in without)
