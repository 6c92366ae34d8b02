"""Whatever an import is given: a clear error and nothing written, or the same chat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatrecord import ChatRecordError
from chatrecord.errors import ChatExists, ImportInvalid
from chatrecord.sqlalchemy import Database, create_chat, export_chat, import_chat, list_chats
from chatrecord.testing import Script, call, say, think
from chatrecord.text.storable import unescape_json
from chatrecord.transfer.lines import KINDS

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
HOSTILE = [
    "", "{}", "[]", "null", "\ufeff{}", '{"kind": ', '{"kind": "chatrecord"}', "\x00", "NaN",
    '{"kind": "chatrecord", "version": 2}', '{"kind": ["chat"]}', '{"kind": "end", "rows": 0}',
    "[" * 100_000, "1" * 5000, '{"kind": {"a": {}}}', "\ud800",
    '{"role": "user", "content": "hi"}', "DROP TABLE llm_chats;",
]  # fmt: skip


def give(n: int) -> Any:
    return {"n": n}


@cache
def exported() -> tuple[str, ...]:
    """The lines of a chat with rows of every kind but pieces."""

    async def make() -> tuple[str, ...]:
        async with Database("sqlite://") as db:
            await db.create_tables()
            script = Script([think("hm"), call("give", n=1)], [say("one")], [say("two")])
            chat = await create_chat(db, script, user_id="ann", title="T", tools=[give])
            await chat.ask("1?", idempotency_key="k")
            await chat.ask("2?")
            return tuple([line async for line in export_chat(db, chat.id)])

    return asyncio.run(make())


async def imported(*attempts: list[Any]) -> list[list[str] | ChatRecordError]:
    """What comes of importing these, each into an empty database: its lines, or the error."""
    found: list[list[str] | ChatRecordError] = []
    async with Database("sqlite://") as db:
        await db.create_tables()
        for lines in attempts:
            try:
                record = await import_chat(db, lines, new_ids=True)
            except ChatRecordError as error:
                assert await list_chats(db) == []
                found.append(error)
            else:
                found.append([line async for line in export_chat(db, record.id)])
                break
    return found


def refused(*attempts: list[Any]) -> list[ImportInvalid]:
    """The errors of these, all of which have to be refused before anything is written."""
    errors = asyncio.run(imported(*attempts))
    assert len(errors) == len(attempts)
    for error in errors:
        assert isinstance(error, ImportInvalid), error
    return errors  # type: ignore[return-value]


def test_an_export_that_was_cut_off_is_refused_wherever_that_was() -> None:
    lines = list(exported())
    between = [lines[:count] for count in range(len(lines))]
    within = [[*lines[:n], lines[n][: len(lines[n]) // 2]] for n in range(len(lines))]

    errors = refused(*between, *within)

    assert all("line" in str(error).lower() for error in errors)


def test_no_line_may_be_missing_twice_or_at_another_place() -> None:
    lines = list(exported())
    missing = [lines[:n] + lines[n + 1 :] for n in range(len(lines))]
    twice = [lines[: n + 1] + lines[n:] for n in range(len(lines))]
    moved = [[*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]] for n in range(len(lines) - 1)]
    kinds = [json.loads(line)["kind"] for line in lines]
    elsewhere = [order for n, order in enumerate(moved) if kinds[n] != kinds[n + 1]]

    refused(*missing, *twice, *elsewhere)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_foreign_or_hostile_is_refused_by_its_line(text: str) -> None:
    lines = list(exported())

    alone, first, amid = refused([text], [text, *lines[1:]], [*lines[:4], text + " x", *lines[5:]])

    assert amid.line == 5
    assert str(amid).startswith("Line 5 ")
    assert {alone.line, first.line} <= {1, 2, 3}


def test_bytes_that_are_no_text_are_refused_by_their_line() -> None:
    (error,) = refused([exported()[0], b"\xff\xfe\x00"])

    assert error.line == 2


WRONG: list[tuple[str, str, Any]] = [
    ("chat", "id", "7"), ("chat", "metadata", []), ("chat", "created_at", "2026-01-01T00:00:00"),
    ("chat", "columns", None), ("chat", "columns", {"user_id": {"type": "pickle", "value": ""}}),
    ("chat", "columns", {"user_id": 5}), ("chat", "columns", {"user_id": "x" * 300}),
    ("run", "status", "waiting"), ("run", "status", "done"), ("run", "epoch", 2**31),
    ("run", "owner", "x" * 256), ("run", "lease_until", "soon"), ("run", "settings", [[]] * 2),
    ("message", "seq", True), ("message", "seq", "1"), ("message", "role", "root"),
    ("message", "text", None), ("message", "tokens", {"input": 1}), ("message", "more", 1),
    ("message", "run_id", "01890000-0000-7000-8000-000000000001"),
    ("tool_call", "message_id", "01890000-0000-7000-8000-000000000001"),
    ("tool_call", "message_id", None), ("tool_call", "duration_ms", float("nan")),
    ("request", "cost", 0.1), ("request", "cost", "NaN"), ("request", "cost", "1e-13"),
    ("request", "cost", "100000000"), ("request", "streamed", 1),
    ("request", "latency_ms", 10**400), ("end", "rows", 3),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), WRONG)
def test_a_wrong_value_is_refused_by_its_line_and_its_name(
    kind: str, name: str, value: Any
) -> None:
    rows = [json.loads(line) for line in exported()]
    place = next(n for n, row in enumerate(rows) if row["kind"] == kind)
    wrong = [*rows[:place], {**rows[place], name: value}, *rows[place + 1 :]]
    if (name, value) == ("settings", [[]] * 2):
        wrong[place]["settings"] = json.loads("[" * 400 + "]" * 400)

    (error,) = refused([json.dumps(row) for row in wrong])

    assert error.line == place + 1
    assert (
        name in str(error)
        or (kind, name) in {("run", "status"), ("chat", "columns")}
        or (name.removesuffix("_id") in str(error))
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_row_with_anything_in_it_is_refused_or_stored_as_it_is(data: st.DataObject) -> None:
    rows = [json.loads(line) for line in exported()]
    row = rows[data.draw(st.integers(1, len(rows) - 1), label="line")]
    name = data.draw(st.sampled_from(sorted(row)) | st.text(max_size=5), label="name")
    row[name] = data.draw(JSONS, label="value")

    (found,) = asyncio.run(imported([json.dumps(row) for row in rows]))

    if isinstance(found, list):
        sent = in_order(without_ids(json.dumps(row)) for row in rows)
        assert in_order(without_ids(line) for line in found) == sent
    else:
        assert isinstance(found, ImportInvalid), found


def in_order(rows: Iterable[Any]) -> list[Any]:
    """Messages by their number, as they are read again; everything else where it stands."""
    kinds = ["chatrecord", "chat", *KINDS, "end"]
    return sorted(rows, key=lambda row: (kinds.index(row["kind"]), row.get("seq", 0)))


def without_ids(line: str) -> Any:
    """What of a line does not change with its ids; a number of its own is as good as another."""
    row = unescape_json(json.loads(line, parse_float=repr, parse_constant=str))
    if isinstance(columns := row.get("columns"), dict):  # those that there are, NULL where left out
        row["columns"] = {"user_id": columns.get("user_id")}
    return {name: value for name, value in row.items() if not name.endswith("id")} | dict.fromkeys(
        ("duration_ms", "latency_ms", "first_token_ms")
    )


async def test_one_chat_is_imported_once_by_however_many() -> None:
    async with Database("sqlite://") as db:
        await db.create_tables()

        outcomes = await asyncio.gather(
            *(import_chat(db, exported()) for _ in range(5)), return_exceptions=True
        )

        assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, ChatExists) for outcome in outcomes) == 4
