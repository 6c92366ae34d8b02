"""A message of the history is parsed when somebody looks into it."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatrecord.errors import DatabaseFailed
from chatrecord.records import Message, Tokens
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store import stored_message
from chatrecord.store.stored_message import READ_FIELDS, StoredMessage, may_hold, plain_json_of
from chatrecord.store.token_estimates import characters_of, most_characters_of
from chatrecord.store.window import Window
from chatrecord.testing import Script, call, say
from chatrecord.text.storable import escape_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def stored(json_text: str | None, text: str = "") -> StoredMessage:
    now, some_id = datetime.now(UTC), uuid4()
    message = Message(
        id=some_id, chat_id=some_id, run_id=None, seq=1, role="user", status="complete", text=text,
        reasoning=None, content=None, format=None, model=None, provider=None, finish_reason=None,
        tokens=Tokens(), created_at=now, finished_at=now,
    )  # fmt: skip
    return StoredMessage.read([getattr(message, name) for name in READ_FIELDS], json_text)


@given(VALUES)
def test_its_content_is_that_of_a_message_that_was_parsed_at_once(content: object) -> None:
    message = stored(json.dumps(escape_json(content)))

    assert message.content == content
    whole = Message(**{field.name: getattr(message, field.name) for field in fields(Message)})
    assert characters_of(message) == characters_of(whole)
    most = most_characters_of(message)
    assert most is None or most >= characters_of(whole)


def test_a_changed_copy_is_a_message_of_its_own() -> None:
    message = stored('{"parts": []}')

    copy = replace(message, content={"parts": ["more"]})

    assert copy.content == {"parts": ["more"]}
    assert plain_json_of(copy) is None
    assert message.content == {"parts": []}
    assert may_hold(copy, "anything")


def test_without_content_there_is_none() -> None:
    assert stored(None).content is None
    with pytest.raises(AttributeError, match="contents"):
        _ = stored(None).contents  # type: ignore[attr-defined]


def test_a_damaged_content_is_told() -> None:
    with pytest.raises(DatabaseFailed, match="changed or cut off outside"):
        _ = stored('{"parts": [').content


async def test_a_turn_parses_no_content(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([call("add", a=1, b=2)], [say("3")], [say("Bye")])
    chat = await create_chat(db, script, tools=[add], window=Window(messages=50))
    await chat.ask("1 + 2?")
    monkeypatch.setattr(stored_message, "parsed", _never)

    reply = await chat.ask("Thanks")

    assert reply.text == "Bye"
    assert len(script.requests[-1]) == 5


def add(a: int, b: int) -> int:
    return a + b


def _never(text: str) -> object:
    raise AssertionError(text)
