"""Stored chats and recorded answers, for tests of synchronous code."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import create_chat, wait
from chatrecord.testing import NotRecorded, Script, say
from chatrecord.testing.sync import recorded, script_from_chat


def test_a_stored_chat_is_replayed(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    wait(db.create_tables())
    chat = create_chat(db, Script([say("Hi.")]))
    chat.ask("Hello")
    script = script_from_chat(chat)
    assert [create_chat(db, script).ask(it).text for it in script.questions] == ["Hi."]
    wait(db.close())


def test_a_request_that_is_not_recorded(tmp_path: Path) -> None:
    db, file = Database(f"sqlite:///{tmp_path / 'chats.db'}"), tmp_path / "none.json"
    wait(db.create_tables())
    with (
        pytest.raises(ConfigurationError, match="There is no"),
        recorded("openai:gpt-5", file, mode="none"),
    ):
        pass
    file.write_text('{"chatrecord_recording": 1, "exchanges": []}')
    with pytest.raises(NotRecorded, match="is not in"), recorded("openai:gpt-5", file) as llm:
        create_chat(db, llm).ask("Hello")
    wait(db.close())


def test_a_test_that_is_interrupted_gives_the_model_its_client_back(tmp_path: Path) -> None:
    model = OpenAIChatModel("gpt-5", provider=OpenAIProvider(api_key="a key"))
    client = model.client._client

    with pytest.raises(KeyboardInterrupt), recorded(model, tmp_path / "new.json"):
        assert "_transport_for_url" in vars(client)
        raise KeyboardInterrupt

    assert "_transport_for_url" not in vars(client)
