"""The synchronous door, from plain threads."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chatrecord.errors import ChatNotFound, ConfigurationError, ProviderError, RunError
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import (
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    list_chats,
    load_chat,
    wait,
)
from chatrecord.testing import Script, call, fail, say


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Database[Any]]:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    wait(db.create_tables())
    yield db
    wait(db.close())


def test_a_script_asks_and_streams(plain: Database[Any]) -> None:
    script = Script([say("Hel", "lo")], [call("double", n=2)], [say("4")])
    chat = create_chat(plain, script, user_id="u1", tools=[double])

    assert chat.ask("Hi!").text == "Hello"
    with chat.stream("2 * 2?") as stream:
        kinds = [chunk.kind for chunk in stream]

    assert [kind for kind in kinds if kind != "tool_input"] == ["tool_call", "tool_result", "text"]
    assert stream.reply.text == "4"
    assert [message.role for message in chat.messages()] == [
        "user", "assistant", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert chat.tool_calls()[0].result == 4
    assert len(chat.requests()) == chat.usage().requests == 3
    assert load_chat(plain, script, chat.id, user_id="u1").record.id == chat.id
    chat.rename("Sums")
    chat.update(metadata={"team": "HR"}, instructions="Be brief.")
    assert (chat.title, chat.metadata) == ("Sums", {"team": "HR"})
    with pytest.raises(TypeError, match=r"chat\.update"):
        chat.metadata["team"] = "IT"  # type: ignore[index]
    assert [found.id for found in list_chats(plain, user_id="u1", search="sum")] == [chat.id]


def double(n: int) -> int:
    return 2 * n


def test_errors_arrive_in_the_thread_that_asked(plain: Database[Any]) -> None:
    chat = create_chat(plain, Script([say("half"), fail(RuntimeError("cut"))]), retries=0)

    with pytest.raises(ProviderError) as failure:
        list(chat.stream("Hi!"))

    assert isinstance(failure.value, RunError)
    assert failure.value.text == "half"


def test_many_threads_ask_at_once(plain: Database[Any]) -> None:
    def converse(n: int) -> str:
        chat = create_chat(plain, Script([say(f"{n}", pause=0.01)]), user_id="crowd")
        return chat.ask("who are you?").text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(converse, range(24))) == [str(n) for n in range(24)]
    assert len(list_chats(plain, user_id="crowd", limit=99)) == 24


def test_a_chat_is_deleted(plain: Database[Any]) -> None:
    chat = create_chat(plain, Script())

    delete_chat(plain, chat.id)

    with pytest.raises(ChatNotFound):
        load_chat(plain, Script(), chat.id)


def test_waiting_inside_an_event_loop_is_refused(plain: Database[Any]) -> None:
    async def inside() -> None:
        wait(plain.create_tables())

    with pytest.raises(RuntimeError, match="await the asynchronous function"):
        asyncio.run(inside())


def test_a_run_is_followed_stopped_and_replaced_from_plain_code(plain: Database[Any]) -> None:
    script = Script([say("one")], [say("two")], [say("three")], [say("half"), fail(OSError("cut"))])
    chat = create_chat(plain, script, retries=0)
    chat.ask("Hi!")

    assert chat.regenerate().read().text == "two"
    question = chat.messages()[0]
    assert chat.edit(question.id, "Hello!").read().text == "three"
    assert chat.follow().read().text == "three"
    with pytest.raises(ProviderError):
        chat.ask("Go on")
    script.then([say("whole")])
    assert chat.resume().read().text == "whole"
    assert chat.active_run() is None
    assert chat.stop() is False
    assert chat.pending_approvals() == []


def test_a_database_stays_in_one_event_loop(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")

    async def use() -> None:
        await db.create_tables()
        await db.close()

    asyncio.run(use())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(use())


def test_another_loop_is_told_so_also_where_all_connections_are_in_use(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    told: list[BaseException] = []

    async def hold(go: asyncio.Event) -> None:
        async with db.store.reading():
            await go.wait()

    def elsewhere() -> None:
        try:
            asyncio.run(db.check())
        except ConfigurationError as error:
            told.append(error)

    async def use() -> None:
        go = asyncio.Event()
        holding = [asyncio.create_task(hold(go)) for _ in range(40)]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(elsewhere)
        go.set()
        await asyncio.gather(*holding)
        await db.close()

    asyncio.run(use())
    (error,) = told
    assert "another event loop" in str(error)


def test_without_a_loop_of_asyncio_the_first_use_says_so(tmp_path: Path) -> None:
    """As under trio."""
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    checking = db.check()
    with pytest.raises(ConfigurationError, match="asyncio"):
        checking.send(None)


def test_a_database_is_not_sent_to_another_process() -> None:
    with pytest.raises(ConfigurationError, match="send a URL"):
        pickle.dumps(Database("sqlite://"))


def test_a_script_that_forgets_to_close_stores_what_has_come(tmp_path: Path) -> None:
    program = f"""
import threading, time
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import create_chat, wait
from chatrecord.testing import Script, hang, say

db = Database("sqlite:///{tmp_path / "chats.db"}")
wait(db.create_tables())
chat = create_chat(db, Script([say("half"), hang()]))
next(iter(chat.stream("Hi!")))
print(chat.id)
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    again = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    answer = load_chat(again, Script(), told.stdout.strip()).messages()[-1]
    wait(again.close())
    assert (answer.status, answer.text) == ("interrupted", "half")
    assert not told.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"on_busy": "queue"},
        {"on_disconnect": "keep"},
        {"retries": -1},
        {"window": 20},
        {"limits": {"steps": 3}},
        {"tools": ["a"]},
        {"metadata": "x"},
        {"user_id": 5},
        {"user_id": "u" * 256},
    ],
)
def test_a_wrong_option_is_refused_when_the_chat_is_made(
    plain: Database[Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong)).rstrip("s")):
        create_chat(plain, Script(), **wrong)
    assert list_chats(plain) == []


def test_a_chat_is_exported_and_imported_from_plain_code(plain: Database[Any]) -> None:
    chat = create_chat(plain, Script([say("Hi")]), user_id="ann")
    chat.ask("Hello")

    lines = list(export_chat(plain, chat.id, user_id="ann"))
    copy = import_chat(plain, export_chat(plain, chat.id), new_ids=True)

    assert len(lines) == len(list(export_chat(plain, copy.id)))
    assert next(export_chat(plain, chat.id)) == lines[0], "one may leave after the first line"
