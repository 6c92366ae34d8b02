"""Which call of a `Database` with a read replica asks whom: a table, which the docs repeat."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.applications import Starlette

from chatrecord import Attachment, Chat
from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import (
    Database,
    count_runs,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    list_chats,
    list_requests,
    list_runs,
    load_chat,
    purge,
    search_messages,
    usage,
)
from chatrecord.sqlalchemy.store.noted_store import NotedStore
from chatrecord.store.lookup_store import ChatFilter
from chatrecord.store.shown_store import ShownStore
from chatrecord.store.store import Store
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes

FILE = Attachment(data=b"%PDF-1.4 the policy", media_type="application/pdf", name="policy.pdf")
MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)


@dataclass
class Case:
    """A chat in a database with a replica: a second engine on the same file."""

    db: Database
    chat: Chat
    statements: dict[str, list[str]] = field(default_factory=dict)

    def listen(self, name: str, engine: AsyncEngine) -> None:
        noted = self.statements[name] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            noted.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", note)

    def forget(self) -> None:
        """What was asked so far."""
        for noted in self.statements.values():
            noted.clear()

    async def get(self, path: str) -> None:
        routes = chat_routes(self.db, Script(), owner=lambda _: {"user_id": "ann"}, prefix="/chats")
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://chats") as web:
            assert (await web.get(path)).status_code == 200


Call = Callable[[Case], Awaitable[object]]


async def _file(case: Case) -> None:
    (question, *_) = await case.chat.messages()
    case.forget()
    await case.chat.attachment(question.attachments[0].hash)


async def _exported(case: Case) -> list[str]:
    return [line async for line in export_chat(case.db, case.chat.id)]


async def _imported(case: Case) -> None:
    lines = await _exported(case)
    case.forget()
    await import_chat(case.db, lines, new_ids=True)


async def _streamed(case: Case) -> None:
    async for _ in case.chat.stream("On?"):
        pass


async def _edited(case: Case) -> None:
    messages = await case.chat.messages()
    valid = [each for each in messages if (each.role, each.status) == ("user", "complete")]
    case.forget()
    await case.chat.edit(valid[-1].id, "Or?")


async def _followed(case: Case) -> None:
    async for _ in case.chat.follow():
        pass


BY_THE_REPLICA: dict[str, Call] = {
    "list_chats(db)": lambda it: list_chats(it.db, user_id="ann"),
    "list_chats(db, search=...)": lambda it: list_chats(it.db, search="travel"),
    "list_chats(db, where=...)": lambda it: list_chats(it.db, where=ChatFilter(status="complete")),
    "list_requests(db)": lambda it: list_requests(it.db, user_id="ann"),
    "search_messages(db, ...)": lambda it: search_messages(it.db, "yes"),
    "chat.messages()": lambda it: it.chat.messages(),
    "chat.summaries()": lambda it: it.chat.summaries(),
    "chat.tool_calls()": lambda it: it.chat.tool_calls(),
    "chat.requests()": lambda it: it.chat.requests(),
    "chat.usage()": lambda it: it.chat.usage(),
    "chat.attachment(hash)": _file,
    "usage(db)": lambda it: usage(it.db),
    "export_chat(db, id)": _exported,
    "GET /": lambda it: it.get("/chats"),
    "GET /{id}": lambda it: it.get(f"/chats/{it.chat.id}"),
}
BY_THE_PRIMARY: dict[str, Call] = {
    "create_chat(db, llm)": lambda it: create_chat(it.db, Script()),
    "load_chat(db, llm, id)": lambda it: load_chat(it.db, Script(), it.chat.id),
    "purge(db)": lambda it: purge(it.db, older_than=timedelta(days=1)),
    "import_chat(db, lines)": _imported,
    "list_runs(db)": lambda it: list_runs(it.db),
    "count_runs(db)": lambda it: count_runs(it.db),
    "chat.fork()": lambda it: it.chat.fork(),
    "chat.ask(...)": lambda it: it.chat.ask("On?"),
    "chat.stream(...)": _streamed,
    "chat.follow()": _followed,
    "chat.stop()": lambda it: it.chat.stop(),
    "chat.active_run()": lambda it: it.chat.active_run(),
    "chat.pending_approvals()": lambda it: it.chat.pending_approvals(),
    "chat.regenerate()": lambda it: it.chat.regenerate(),
    "chat.edit(...)": _edited,
    "chat.generate_title()": lambda it: it.chat.generate_title(),
    "chat.update(...)": lambda it: it.chat.update(title="Trips"),
    "db.repair()": lambda it: it.db.repair(),
    "db.check()": lambda it: it.db.check(),
    "db.doctor()": lambda it: it.db.doctor(),
    "delete_chat(db, id)": lambda it: delete_chat(it.db, it.chat.id),
}


async def _case(folder: Path, window: timedelta) -> AsyncIterator[Case]:
    url = f"sqlite+aiosqlite:///{folder / 'chats.db'}"
    replica = create_async_engine(url)
    async with Database(url, read=replica, read_after_write=window) as db:
        await db.create_tables()
        await db.create_search()
        chat = await create_chat(db, Script(*[[say("yes")]] * 9), title="Travel", user_id="ann")
        await chat.ask("Is it?", attachments=[FILE])
        case = Case(db, chat)
        case.listen("primary", db.engine)
        case.listen("replica", replica)
        yield case
    await replica.dispose()


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    """What was written has arrived."""
    async for each in _case(tmp_path, MOMENT):
        yield each


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Case]:
    """What was written may not have arrived."""
    async for each in _case(tmp_path, HOUR):
        yield each


async def test_what_is_shown_is_read_from_the_replica(case: Case) -> None:
    for call, read in BY_THE_REPLICA.items():
        case.forget()
        await read(case)

        assert case.statements["replica"], call
        # Whose a chat is, whether it is deleted, and which run is active, decides. Feedback is as
        # it is now.
        of_chat = ["llm_chats"] if call.startswith(("GET", "export")) else []
        of_page = ["llm_feedback"] if call.startswith("GET") else []
        decide = {"llm_runs", *of_chat, *of_page}
        others = [sql for sql in case.statements["primary"] if not _reads_only(sql, decide)]
        assert not others, call


async def test_what_decides_is_read_from_the_primary(case: Case) -> None:
    for call, done in BY_THE_PRIMARY.items():
        case.forget()
        await done(case)

        assert not case.statements["replica"], call


async def test_what_was_just_written_is_read_from_the_primary(fresh: Case) -> None:
    """But for a report of all chats, which a busy server would never read elsewhere."""
    for call, read in BY_THE_REPLICA.items():
        fresh.forget()
        await read(fresh)

        assert bool(fresh.statements["replica"]) == (call == "usage(db)"), call


async def test_a_report_of_somebody_has_what_was_just_written(fresh: Case) -> None:
    (row,) = await usage(fresh.db, user_id="ann")

    assert row.usage.requests == 1
    assert not fresh.statements["replica"]


def test_every_role_that_is_shown_has_a_route() -> None:
    """And each method of a store that writes a chat notes that."""
    shown = {name for name, _ in inspect.getmembers(ShownStore, inspect.isfunction)}
    store = {
        name
        for name, _ in inspect.getmembers(Store, inspect.isfunction)
        if not name.startswith("_")
    }
    decide = {
        "active_run", "expired_runs", "first_messages", "get_message", "get_run", "history",
        "idle_chats", "journal", "journal_since", "last_prompt", "notifications", "request_stop",
        "rows_of", "run_of_key", "run_states", "with_files", "count_runs", "find_run", "list_runs",
        "outline", "ready_runs", "feedback_of_chat", "feedback_report", "list_feedback",
        "every_chat", "hidden_chats", "messages_of_ids", "pending_runs", "vector_kind",
    }  # fmt: skip
    of_all = {
        "count_days", "delete_orphaned_pieces", "end_side_requests", "close", "create_search",
        "drop_search", "create_semantic_search", "drop_semantic_search", "claim_texts",
        "store_vectors",
    }  # fmt: skip
    of_events = {
        "add_event", "claim_reader", "events_of_ids", "number_events", "purge_events",
        "read_events", "save_reader",
    }  # fmt: skip
    of_classes = {"chat_columns", "changed_row", "check_column", "new_row", "row_of"}
    noted = NotedStore.__dict__.keys()
    assert {name for name in shown if not name.startswith("_")} <= store
    others = decide | of_all | of_events | of_classes
    assert store - shown - others <= noted, "it writes: note it, or list it"


def test_a_replica_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="URL"):
        Database("sqlite://", read="nonsense")
    with pytest.raises(ConfigurationError, match="read_after_write"):
        Database("sqlite://", read="sqlite:///other.db", read_after_write=timedelta(0))


def _reads_only(sql: str, tables: set[str]) -> bool:
    return {*re.findall(r"\b(?:FROM|JOIN) (\w+)", sql)} <= tables
