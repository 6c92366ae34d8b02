"""The AG-UI client of the npm registry against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from .app import SECRET
from .clients import Client, client
from .conftest import Site

HELLO = "Hello there, Zoë \U0001f642 </script>\n\nbye."


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with client("ag-ui", "agui_driver.mjs", folder=tmp_path_factory.mktemp("ag-ui")) as process:
        yield process


@pytest.fixture
def given(site: Site, user: str, chat_id: UUID) -> dict[str, Any]:
    return {"base": site.url, "id": str(chat_id), "user": user}


def test_an_answer(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("send", script="hello", **given)
    assert (seen["errors"], seen["complaints"], seen["outcomes"]) == ([], [], ["none"])
    assert [(it["role"], it["content"]) for it in seen["messages"]] == [
        ("user", "Hello?"),
        ("assistant", HELLO),
    ]


def test_tools_and_reasoning(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("send", script="tools", **given)
    assert (seen["errors"], seen["complaints"]) == ([], [])
    roles = [(it["role"], it.get("content", "")) for it in seen["messages"]]
    assert roles == [
        ("user", "Hello?"),
        ("reasoning", "Let me add."),
        ("assistant", "I add. "),
        ("tool", "3"),
        ("assistant", "It is three."),
    ]
    (called,) = seen["messages"][2]["toolCalls"]
    assert called["function"] == {"name": "add", "arguments": '{"a":1,"b":2}'}


def test_a_tool_that_waits_is_an_interrupt(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("approval", **given)
    assert (seen["errors"], seen["complaints"]) == ([], [])
    assert seen["outcomes"] == ["interrupt", "none"]
    assert [it["toolCallId"] for it in seen["asked"]] == ["pay-1", "pay-2"]
    results = {it["toolCallId"]: it["content"] for it in seen["messages"] if it["role"] == "tool"}
    assert results == {"pay-1": '{"paid":1}', "pay-2": "Too dear", "call-1": "2"}
    assert seen["messages"][-1]["content"] == "That is settled."


def test_an_error(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("send", script="broken", **given)
    assert SECRET not in str(seen)
    assert "The model could not answer." in seen["errors"]
    assert seen["messages"][1]["content"] == "The policy says "
