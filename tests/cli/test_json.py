"""`--json`: what is listed and shown, for other programs."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from providers.answers import Spent, says
from providers.server import ProviderServer

from .conftest import MODEL, Run


@pytest.fixture
def asked(call: Run, provider: ProviderServer) -> None:
    provider.script(says("Grüß \x1b[1mGott\x9b!", spent=Spent(input=1200, output=34)))
    call("chat", "--model", MODEL, "Hello?")


def parsed(call: Run, *words: str) -> Any:
    done = call(*words, "--json")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    return json.loads(done.stdout)


@pytest.mark.usefixtures("asked")
def test_chats_have_the_fields_of_their_rows(call: Run) -> None:
    (chat,) = parsed(call, "chats")
    assert (chat["title"], chat["provider"], chat["model"]) == ("Hello?", "openai", "gpt-4o")
    assert datetime.fromisoformat(chat["created_at"]).tzinfo is not None


@pytest.mark.usefixtures("asked")
def test_a_chat_is_shown_whole(call: Run) -> None:
    shown = parsed(call, "show", parsed(call, "chats")[0]["id"])
    assert [one["text"] for one in shown["messages"]] == ["Hello?", "Grüß \x1b[1mGott\x9b!"]
    assert shown["requests"][0]["tokens"]["input"] == 1200
    assert shown["tool_calls"] == []
    assert Decimal(shown["usage"]["cost"]) == Decimal("0.00334")


@pytest.mark.usefixtures("asked")
def test_usage_keeps_what_each_group_is_of(call: Run) -> None:
    (row,) = parsed(call, "usage", "--by", "day,model")
    assert row["by"]["model"] == "gpt-4o"
    assert (row["usage"]["requests"], row["failed"]) == (1, 0)
    assert row["latency_ms"]["p50"] > 0


def test_nothing_is_an_empty_list(call: Run) -> None:
    assert call("chat", "--model", "nobody:nothing", "Hi").returncode == 1
    assert parsed(call, "chats") == []
    assert parsed(call, "usage") == []
