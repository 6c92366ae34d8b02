"""assistant-ui, over both wires, and the core of CopilotKit. Both bring @ag-ui/client 0.0.59."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from .app import WORDS
from .clients import Client, client
from .conftest import Site

WHOLE = "".join(WORDS)
HELLO = "Hello there, Zoë \U0001f642 </script>\n\nbye."
OTHER = "Something else."


@pytest.fixture(scope="module", params=["ag-ui", "ai-sdk"])
def assistant(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp(request.param)
    with client("assistant-ui", "assistant_driver.mjs", request.param, folder=folder) as process:
        yield process


@pytest.fixture(scope="module")
def copilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("copilotkit")
    with client("copilotkit", "copilotkit_driver.mjs", folder=folder) as process:
        yield process


def test_assistant_ui_reloads_an_answer(assistant: Client, site: Site, user: str) -> None:
    seen = assistant.play("again", base=site.url, user=user)

    assert seen["errors"] == []
    assert seen["texts"] == ["Hello?", OTHER]
    assert seen["stored"] == [["Hello?", OTHER]]


def test_assistant_ui_goes_on_after_an_earlier_answer(
    assistant: Client, site: Site, user: str
) -> None:
    """Its branch picker: the next question is for the version that it shows."""
    seen = assistant.play("branch", base=site.url, user=user)

    assert seen["errors"] == []
    assert seen["shown"] == ["Hello?", HELLO]
    assert seen["texts"] == ["Hello?", HELLO, "And?", HELLO]
    assert seen["stored"] == [["Hello?", HELLO, "And?", HELLO]]


def test_assistant_ui_sends_feedback(assistant: Client, site: Site, user: str) -> None:
    seen = assistant.play("feedback", base=site.url, user=user)

    assert seen["errors"] == []
    assert seen["shown"] == [{"value": -1, "comment": None}]


def test_assistant_ui_edits_a_question(assistant: Client, site: Site, user: str) -> None:
    seen = assistant.play("edit", base=site.url, user=user)

    assert seen["errors"] == []
    assert seen["shown"] == [[["Hello?", HELLO, "And now?", OTHER]], [["Hallo?", OTHER]]]
    assert seen["texts"] == ["Hallo?", OTHER]


def test_assistant_ui_asks_after_its_own_stop(assistant: Client, site: Site, user: str) -> None:
    seen = assistant.play("ownStop", base=site.url, user=user)

    assert seen["errors"] == []
    ((_, partial, *rest),) = seen["stored"]
    assert rest == ["Hello?", HELLO]
    assert WHOLE.startswith(partial)
    assert partial != WHOLE


def test_copilotkit_regenerates(copilot: Client, site: Site, user: str, chat_id: UUID) -> None:
    seen = copilot.play("again", base=site.url, user=user, id=str(chat_id))

    shown = httpx.get(f"{site.url}/chats/{chat_id}", headers={"x-user": user}).json()["messages"]
    assert seen["errors"] == []
    assert [it["content"] for it in seen["messages"]] == ["Hello?", OTHER]
    assert [it["parts"][-1]["text"] for it in shown] == ["Hello?", OTHER]


@pytest.mark.parametrize("scenario", ["stop", "ownStop"])
def test_copilotkit_stops(
    copilot: Client, site: Site, user: str, chat_id: UUID, scenario: str
) -> None:
    seen = copilot.play(scenario, base=site.url, user=user, id=str(chat_id), onBusy="interrupt")

    assert seen["errors"] == []
    assert WHOLE.startswith(seen["messages"][1]["content"])
    assert scenario == "stop" or seen["messages"][-1]["content"] == HELLO
