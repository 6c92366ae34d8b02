"""The AI SDK's own clients, versions 5, 6 and 7, against a real server: no violation, no lost text."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script

from .app import PICTURE, SECRET, WORDS
from .clients import Client
from .conftest import Site
from .cutting import cutting

WHOLE = "".join(WORDS)


def text_of(message: dict[str, Any]) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


def tools_of(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["toolCallId"]: part for part in message["parts"] if "toolCallId" in part}


async def stored_text(db: Database, chat_id: UUID) -> str:
    """The text of the last run's answers that stand."""
    chat = await load_chat(db, Script(), chat_id)
    rows = await chat.messages(limit=100)
    standing = [row for row in rows if row.role == "assistant" and row.status != "superseded"]
    return "".join(row.text for row in standing if row.run_id == standing[-1].run_id)


@pytest.fixture
def given(site: Site, user: str, chat_id: UUID) -> dict[str, Any]:
    return {"base": site.url, "id": str(chat_id), "user": user}


async def test_an_answer_is_the_stored_text(
    page: Client, given: dict[str, Any], stored: Database, chat_id: UUID
) -> None:
    seen = page.play("send", script="hello", **given)
    assert (seen["errors"], seen["status"]) == ([], "ready")
    question, answer = seen["messages"]
    assert text_of(answer) == await stored_text(stored, chat_id)
    assert answer["metadata"]["status"] == "complete"
    again = page.play("history", **given)["messages"]
    assert again[1]["id"] == answer["id"] == answer["metadata"]["runId"]
    assert again[0]["id"] == answer["metadata"]["questionId"]
    assert text_of(again[1]) == text_of(answer)
    assert again[0]["metadata"]["clientId"] == question["id"]


async def test_tools_and_reasoning_are_parts(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("send", script="tools", **given)
    again = page.play("history", **given)["messages"]
    assert seen["errors"] == []
    for answer in (seen["messages"][1], again[1]):
        assert [part["type"] for part in answer["parts"]] == [
            "step-start", "reasoning", "text", "tool-add", "step-start", "text",
        ]  # fmt: skip
        call = tools_of(answer)["call-1"]
        assert (call["state"], call["input"], call["output"]) == (
            "output-available",
            {"a": 1, "b": 2},
            3,
        )


async def test_what_a_model_makes_is_shown_live_and_in_the_history(
    page: Client, given: dict[str, Any], stored: Database, chat_id: UUID
) -> None:
    seen = page.play("send", script="made", **given)
    again = page.play("history", **given)["messages"]
    assert seen["errors"] == []
    for answer in (seen["messages"][1], again[1]):
        assert text_of(answer) == await stored_text(stored, chat_id)
        shown = [
            {key: value for key, value in part.items() if key not in ("state", "id")}
            for part in answer["parts"]
        ]
        call = {
            "type": "tool-web_search", "toolCallId": "own-1", "input": {"query": "Rome"},
            "output": [{"hit": 1}], "providerExecuted": True,
        }  # fmt: skip
        file = shown.pop()
        assert shown == [
            {"type": "step-start"},
            {"type": "reasoning", "text": "I search."},
            {"type": "text", "text": "I look. "},
            call,
            {"type": "text", "text": "\n\nRome is sunny."},
            {
                "type": "source-url", "sourceId": "https://example.com/rome",
                "url": "https://example.com/rome", "title": "Rome",
            },
        ]  # fmt: skip
        assert (file["type"], file["mediaType"]) == ("file", "image/png")
        async with httpx.AsyncClient(headers={"x-user": given["user"]}) as files:
            kept = await files.get(f"{given['base']}{file['url']}")
        assert kept.content == PICTURE


async def test_a_typed_output_is_a_data_part(page: Client, given: dict[str, Any]) -> None:
    typed = {**given, "base": f"{given['base']}/typed"}
    seen = page.play("send", **typed)
    again = page.play("history", **typed)["messages"]
    assert (seen["errors"], seen["status"]) == ([], "ready")
    for answer in (seen["messages"][1], again[1]):
        assert answer["parts"] == [
            {"type": "step-start"},
            {"type": "data-output", "id": "output", "data": {"number": "A-1", "total": 12}},
        ]


async def test_a_file_is_sent_with_the_question(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("file", script="hello", **given)
    assert (seen["errors"], seen["kept"]) == ([], "Hello")
    file = seen["stored"][0]["parts"][0]
    assert (file["mediaType"], file["filename"]) == ("text/plain", "hello.txt")


async def test_a_tool_that_fails_says_so_and_no_more(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("send", script="crash", **given)
    again = page.play("history", **given)
    assert SECRET not in str(seen)
    assert SECRET not in str(again)
    assert tools_of(seen["messages"][1])["crash-1"]["state"] == "output-error"
    assert tools_of(again["messages"][1])["crash-1"]["state"] == "output-error"


async def test_stop_keeps_what_came(
    page: Client, version: int, given: dict[str, Any], stored: Database, chat_id: UUID
) -> None:
    seen = page.play("stop", script="slow", **given)
    assert seen["answer"] == {"stopped": True}
    if version > 5:
        assert seen["finishes"][0]["finishReason"] == ("interrupted" if version > 6 else "other")
    assert (seen["errors"], seen["status"]) == ([], "ready")
    answer = seen["messages"][1]
    assert answer["metadata"]["status"] == "interrupted"
    assert WHOLE.startswith(text_of(answer))
    assert text_of(answer) == await stored_text(stored, chat_id) != WHOLE


async def test_a_question_after_the_clients_own_stop(page: Client, given: dict[str, Any]) -> None:
    """The answer goes on behind it: a page lets the next question interrupt it."""
    seen = page.play("ownStop", script="slower", onBusy="interrupt", **given)
    assert (seen["errors"], seen["status"]) == ([], "ready")
    again = page.play("history", **given)["messages"]
    assert [message["metadata"].get("status") for message in again[1::2]] == [
        "interrupted",
        "complete",
    ]


async def test_the_clients_own_stop_can_stop_the_answer(
    page: Client, given: dict[str, Any]
) -> None:
    """With the recipe of the docs, on a chat that refuses a second question."""
    seen = page.play("ownStop", script="slower", stopping=True, **given)
    again = page.play("history", **given)["messages"]
    assert again[1]["metadata"]["stopped"] is True
    assert len(seen["errors"]) <= 1  # the next question may be faster than the stop


async def test_a_dropped_connection_is_resumed(
    page: Client, version: int, site: Site, given: dict[str, Any]
) -> None:
    """Version 5 needs the words of another error, or it would go on behind what it has."""
    async with cutting(site.url, after=b"word5 ") as through:
        seen = await in_thread(
            page, "dropped", script="slow", through=through, plain=version == 5, **given
        )
    assert seen["before"]["status"] == "error"
    assert WHOLE.startswith(seen["before"]["text"])
    assert seen["before"]["text"] != WHOLE
    assert text_of(seen["messages"][1]) == WHOLE
    assert len(seen["messages"]) == 2


async def in_thread(page: Client, scenario: str, **given: Any) -> dict[str, Any]:
    """While the proxy of this test works."""
    import asyncio

    return await asyncio.to_thread(page.play, scenario, **given)


async def test_a_reload_in_mid_answer_shows_all_of_it(
    page: Client, given: dict[str, Any], stored: Database, chat_id: UUID
) -> None:
    seen = page.play("reload", script="slow", **given)
    assert seen["activeRun"] == {"id": seen["messages"][1]["id"]}
    assert (seen["errors"], seen["status"], len(seen["messages"])) == ([], "ready", 2)
    assert text_of(seen["messages"][1]) == WHOLE == await stored_text(stored, chat_id)
    assert WHOLE.startswith(seen["shown"])
    assert seen["first"][1]["id"] == seen["messages"][1]["id"]
    assert [call["status"] for call in seen["calls"]] == [200, 204]


async def test_four_tabs_end_alike(page: Client, given: dict[str, Any]) -> None:
    tabs = page.play("tabs", script="slower", **given)["tabs"]  # than a busy machine opens tabs
    assert [tab["errors"] for tab in tabs] == [[]] * 4
    assert {text_of(tab["messages"][-1]) for tab in tabs} == {WHOLE}
    assert len({tab["messages"][-1]["id"] for tab in tabs}) == 1
    assert {len(tab["messages"]) for tab in tabs} == {2}


async def test_a_double_send_is_one_run(
    page: Client, given: dict[str, Any], stored: Database, chat_id: UUID
) -> None:
    tabs = page.play("double", script="slow", **given)["tabs"]
    assert [tab["errors"] for tab in tabs] == [[], []]
    assert {text_of(tab["messages"][-1]) for tab in tabs} == {WHOLE}
    assert len({tab["messages"][-1]["id"] for tab in tabs}) == 1
    chat = await load_chat(stored, Script(), chat_id)
    assert [row.role for row in await chat.messages()] == ["user", "assistant"]


async def test_regenerate_replaces_the_answer(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("regenerate", script="hello", **given)
    assert seen["errors"] == []
    assert [text_of(message) for message in seen["messages"]] == ["Hello?", "Something else."]
    assert seen["old"]["id"] != seen["messages"][1]["id"]
    again = page.play("history", **given)["messages"]
    assert [text_of(message) for message in again] == ["Hello?", "Something else."]
    assert again[1]["metadata"]["questionId"] == again[0]["id"]


async def test_an_earlier_answer_can_be_regenerated(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("regenerateEarlier", script="hello", **given)
    again = page.play("history", **given)["messages"]
    for messages in (seen["messages"], again):
        assert [text_of(message) for message in messages] == ["Hello?", "Something else."]


async def test_a_question_can_be_edited_over_and_over(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("edit", script="hello", **given)
    again = page.play("history", **given)["messages"]
    hello = "Hello there, Zoë \U0001f642 </script>\n\nbye."
    assert (seen["errors"], seen["before"]["errors"]) == ([], [])
    assert [text_of(it) for it in seen["before"]["messages"]] == ["Salut?", hello]
    assert [text_of(message) for message in again] == ["Ciao?", "Something else."]
    assert [text_of(message) for message in seen["messages"]] == ["Ciao?", "Something else."]


async def test_an_approved_tool_runs(page: Client, version: int, given: dict[str, Any]) -> None:
    seen = page.play("approval" if version > 5 else "approvalByRoute", script="pay", **given)
    again = page.play("history", **given)["messages"]
    assert seen["errors"] == []
    state = "approval-requested" if version > 5 else "input-available"
    assert tools_of(seen["parked"])["pay-1"]["state"] == state
    assert seen["parked"]["metadata"]["status"] == "parked"
    for answer in (seen["messages"][1], again[1]):
        assert text_of(answer) == "I pay. That is settled."
        assert tools_of(answer)["pay-1"]["state"] == "output-available"
        assert tools_of(answer)["pay-1"]["output"] == {"paid": 90}
        assert answer["metadata"]["status"] == "complete"


async def test_a_denied_tool_does_not_run(
    page: Client, version: int, given: dict[str, Any]
) -> None:
    play = "approval" if version > 5 else "approvalByRoute"
    seen = page.play(play, script="pay-two", denied=["pay-2"], **given)
    again = page.play("history", **given)["messages"]
    assert seen["errors"] == []
    for answer in (seen["messages"][1], again[1]):
        calls = tools_of(answer)
        assert {name: call["state"] for name, call in calls.items()} == {
            "pay-1": "output-available",
            "pay-2": "output-denied" if version > 5 else "output-error",
            "call-1": "output-available",
        }
        assert text_of(answer) == "That is settled."


async def test_a_provider_error_is_reported_without_its_message(
    page: Client, given: dict[str, Any]
) -> None:
    seen = page.play("send", script="broken", **given)
    assert SECRET not in str(seen)
    assert seen["status"] == "error"
    assert text_of(seen["messages"][1]) == "The policy says "
    assert seen["messages"][1]["metadata"]["status"] == "failed"
    again = page.play("history", **given)["messages"]
    assert SECRET not in str(again)
    assert text_of(again[1]) == "The policy says "
    assert again[1]["metadata"]["status"] == "failed"
    assert again[1]["metadata"]["error"] == seen["messages"][1]["metadata"]["error"]


async def test_an_answer_that_broke_off_is_gone_on_with(
    page: Client, given: dict[str, Any]
) -> None:
    seen = page.play("goOn", script="broken", **given)
    again = page.play("history", **given)["messages"]
    hello = "Hello there, Zoë 🙂 </script>\n\nbye."
    assert seen["broken"]["metadata"]["status"] == "failed"
    for answer in (seen["messages"][1], again[1]):
        assert text_of(answer) == hello
        assert answer["metadata"]["status"] == "complete"
        assert answer["id"] == seen["broken"]["id"]
    assert len(seen["messages"]) == len(again) == 2
    assert (seen["after"]["status"], seen["after"]["body"]["error"]["code"]) == (
        409,
        "nothing_to_resume",
    )


async def test_the_client_hook_continues_after_a_dropped_connection(
    page: Client, version: int, site: Site, given: dict[str, Any]
) -> None:
    async with cutting(site.url, after=b"word5 ") as through:
        seen = await in_thread(
            page, "hookDropped", script="slow", through=through, plain=True, **given
        )
    assert WHOLE.startswith(seen["before"])
    assert text_of(seen["messages"][1]) == WHOLE
    assert len(seen["messages"]) == 2


async def test_the_hook_resumes_after_a_reload(page: Client, given: dict[str, Any]) -> None:
    seen = page.play("hook", script="slow", **given)
    assert (seen["error"], seen["status"]) == ("", "ready")
    assert text_of(seen["messages"][1]) == WHOLE
    assert len(seen["messages"]) == 2
