"""The AI SDK's clients for Vue and Svelte, which bring releases of `ai` before 7.0.149."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from .app import WORDS
from .clients import Client, client
from .conftest import Site
from .test_ai_sdk_clients import text_of, tools_of

WHOLE = "".join(WORDS)


@pytest.fixture(scope="module", params=["vue", "svelte"])
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp(request.param)
    with client(request.param, "driver.mjs", request.param, folder=folder) as process:
        yield process


@pytest.fixture
def given(site: Site, user: str, chat_id: UUID) -> dict[str, Any]:
    return {"base": site.url, "id": str(chat_id), "user": user}


def test_a_stopped_answer_is_no_error(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("stop", script="slow", **given)

    assert (seen["errors"], seen["status"], seen["answer"]) == ([], "ready", {"stopped": True})
    assert seen["messages"][1]["metadata"]["stopped"] is True
    assert WHOLE.startswith(text_of(seen["messages"][1]))


def test_tools_and_reasoning(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("send", script="tools", **given)

    answer = seen["messages"][1]
    assert seen["errors"] == []
    assert tools_of(answer)["call-1"]["output"] == 3
    assert text_of(answer) == "I add. It is three."


def test_an_approval(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("approval", script="pay-two", denied=["pay-2"], **given)

    states = {name: call["state"] for name, call in tools_of(seen["messages"][1]).items()}
    assert seen["errors"] == []
    assert states == {
        "pay-1": "output-available",
        "pay-2": "output-denied",
        "call-1": "output-available",
    }


def test_a_reload_in_mid_answer(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("reload", script="slow", **given)

    assert seen["errors"] == []
    assert [text_of(message) for message in seen["messages"][1:]] == [WHOLE]


def test_regenerate_and_edit(page: Client, given: dict[str, Any]) -> None:
    again = page.play("regenerate", script="hello", **given)
    edited = page.play("edit", script="hello", **given)

    assert (again["errors"], edited["errors"]) == ([], [])
    assert text_of(again["messages"][1]) == "Something else."
    assert [text_of(message) for message in edited["messages"]] == ["Ciao?", "Something else."]


def test_a_file(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("file", script="hello", **given)

    assert (seen["errors"], seen["kept"]) == ([], "Hello")
