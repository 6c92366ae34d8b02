"""The AG-UI clients of the npm registry against a real server.

Version 0.0.59 is the one that CopilotKit and assistant-ui bring.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from .app import SECRET, WORDS
from .clients import Client, client
from .conftest import Site

WHOLE = "".join(WORDS)
HELLO = "Hello there, Zoë \U0001f642 </script>\n\nbye."


@pytest.fixture(scope="session", params=["ag-ui", "ag-ui-0"])
def agent(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp(request.param)
    with client(request.param, "agui_driver.mjs", folder=folder) as process:
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
    assert called["function"]["name"] == "add"
    assert json.loads(called["function"]["arguments"]) == {"a": 1, "b": 2}


def test_what_a_model_makes(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("send", script="made", **given)
    assert (seen["errors"], seen["complaints"]) == ([], [])
    said = {it["role"]: it.get("content") for it in seen["messages"]}
    assert said == {
        "user": "Hello?", "reasoning": "I search.", "tool": '[{"hit":1}]',
        "assistant": "I look. \n\nRome is sunny.",
    }  # fmt: skip
    stored = history(given, "/chats")
    assert [_bare(it) for it in stored] == sorted(
        map(_bare, seen["messages"]),
        key=lambda it: [role for role, *_ in map(_bare, stored)].index(it[0]),
    )
    assert stored[-2]["metadata"]["sources"][0]["url"] == "https://example.com/rome"
    assert stored[-2]["metadata"]["files"][0]["mediaType"] == "image/png"
    source, file = seen["customs"]
    assert (source["name"], source["value"]["url"]) == ("source", "https://example.com/rome")
    assert (file["name"], file["value"]["mediaType"]) == ("file", "image/png")


def test_a_typed_output_is_the_state(agent: Client, given: dict[str, Any]) -> None:
    seen = agent.play("send", **{**given, "base": f"{given['base']}/typed"}, script="typed")
    assert (seen["errors"], seen["complaints"], seen["outcomes"]) == ([], [], ["none"])
    assert seen["state"] == {"output": {"number": "A-1", "total": 12}}
    assert seen["results"] == [{"number": "A-1", "total": 12}]
    stored = history(given, "/typed/chats")
    assert stored[-1]["metadata"]["output"] == {"number": "A-1", "total": 12}


def history(given: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The messages that the chat has for AG-UI clients."""
    headers = {"x-user": given["user"], "x-chat-protocol": "ag-ui"}
    page = httpx.get(f"{given['base']}{path}/{given['id']}", headers=headers).json()
    found: list[dict[str, Any]] = page["messages"]
    return found


def _bare(message: dict[str, Any]) -> tuple[str, Any, list[str]]:
    calls = message.get("toolCalls") or []
    return message["role"], message.get("content"), [call["id"] for call in calls]


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


def test_a_stopped_answer_is_no_error(
    agent: Client, given: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """The older client fails on an outcome that it does not know."""
    seen = agent.play("stop", **given)

    is_new = request.node.callspec.params["agent"] == "ag-ui"
    assert (seen["errors"], seen["complaints"], seen["answer"]) == ([], [], {"stopped": True})
    assert seen["outcomes"] == ["cancelled" if is_new else "none"]
    assert WHOLE.startswith(seen["messages"][1]["content"])


def test_a_question_again_and_put_differently(
    agent: Client, given: dict[str, Any], site: Site, user: str
) -> None:
    seen = agent.play("again", **given)

    shown = httpx.get(f"{site.url}/chats/{given['id']}", headers={"x-user": user}).json()
    texts = ["".join(part.get("text", "") for part in it["parts"]) for it in shown["messages"]]
    assert seen["errors"] == []
    assert texts == ["Hello?", "Something else.", "And now?", "Something else."]
    assert [it["content"] for it in seen["messages"]] == texts


def test_a_question_after_the_clients_own_stop(agent: Client, given: dict[str, Any]) -> None:
    """The answer goes on behind it: a page lets the next question interrupt it."""
    seen = agent.play("ownStop", onBusy="interrupt", **given)

    assert seen["errors"] == []
    assert seen["messages"][-1]["content"] == HELLO
