"""The small model on this machine, and the application that chooses its tools."""

from time import monotonic

import pytest
from hr.guided import Guided, chosen_tool, grammar_of

from chatrecord.local import local_llm
from conftest import ask, new_chat, opened, signed_in


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("How many vacation days do I have left?", "check_vacation_balance"),
        ("how much leave is left for me", "check_vacation_balance"),
        ("How many vacation days do employees get?", "search_handbook"),
        ("May I fly business class?", "search_handbook"),
        ("Hello", "search_handbook"),
        ("Please request time off from 2026-12-21 to 2026-12-23", "request_time_off"),
        ("I need vacation on 2026-12-21", "request_time_off"),
        ("Can I take time off in December?", "search_handbook"),
    ],
)
def test_the_application_chooses_by_the_form_of_a_question(question, tool):
    assert chosen_tool(question).tool_name == tool


@pytest.mark.parametrize("words", ["book off ", "how many leave "])
def test_a_hostile_question_delays_nobody(words):
    """Its patterns try every place of each word with every place of the others."""
    start = monotonic()
    chosen_tool(words * 1_000)
    assert monotonic() - start < 0.5


def test_the_dates_and_the_reason_are_taken_as_they_were_written():
    call = chosen_tool("Book vacation from 2026-12-21 until 2026-12-23 because of a wedding")
    assert call.args == {
        "first_day": "2026-12-21",
        "last_day": "2026-12-23",
        "reason": "of a wedding",
    }
    assert chosen_tool("a day off on 2026-13-45, I want a day off 2026-13-45").args["reason"] == ""


async def test_a_journey_on_the_real_model(sqlite_url, embedder):
    """An answer that cites a passage, with the application's search in the audit trail."""
    async with (
        local_llm() as llm,
        opened(sqlite_url, embedder, Guided(llm, embedder)) as hr,
        signed_in(hr, "ben") as ben,
        signed_in(hr, "admin") as admin,
    ):
        chat = await new_chat(ben)
        stream = await ask(ben, chat, "When is salary paid?")
        assert stream.count("text-delta") > 3
        trail = (await admin.get(f"/api/admin/chats/{chat}")).json()
        searched, answered = trail["requests"]
        assert (searched["model"], searched["cost"]) == ("application", None)
        assert answered["provider"] == "local"
        assert answered["outputTokens"] > 0
        assert answered["inputTokens"] < 300
        (call,) = trail["toolCalls"]
        assert call["arguments"] == {"query": "When is salary paid?"}
        assert call["result"][0]["document"] == "pay.md"
        answer = trail["messages"][-1]["text"]
        quoted = answer.removesuffix(" [1]")
        assert quoted != answer
        assert "25th" in quoted
        assert quoted in " ".join(call["result"][0]["text"].split())

        await ask(ben, chat, "Xylophone quasar zebra?")
        trail = (await admin.get(f"/api/admin/chats/{chat}")).json()
        assert "I found nothing" in trail["messages"][-1]["text"]
        assert trail["requests"][-1]["model"] == "application"


async def test_a_document_with_odd_characters_can_be_quoted(tmp_path, embedder):
    odd = 'Say "Yak\\n" twice.\tThen\x01 bow: 🐂 | ( " [9]" )? Done!'
    url = f"sqlite:///{tmp_path / 'odd.db'}"
    async with (
        local_llm() as llm,
        opened(url, embedder, Guided(llm, embedder)) as hr,
        signed_in(hr, "ben") as ben,
    ):
        await hr.ingestion.document("yaks.txt", odd.encode(), "upload")
        assert '"finishReason":"stop"' in await ask(ben, await new_chat(ben), "Who bows to yaks?")


def test_the_grammar_allows_a_sentence_and_the_next():
    assert grammar_of(["One.", "Two."], 3) == 'root ::= "One." (" " "Two.")? " [3]"'


async def test_time_off_is_requested_approved_and_confirmed_without_a_key(sqlite_url, embedder):
    async with (
        local_llm() as llm,
        opened(sqlite_url, embedder, Guided(llm, embedder)) as hr,
        signed_in(hr, "ben") as ben,
    ):
        chat = await new_chat(ben)
        await ask(ben, chat, "Request time off from 2031-03-03 to 2031-03-05")
        (waiting,) = (await ben.get(f"/api/chats/{chat}")).json()["pendingApprovals"]
        await ben.post(f"/api/chats/{chat}/approve", json={"callId": waiting["callId"]})
        stream = (await ben.post(f"/api/chats/{chat}/resume")).text
        assert "3 working days" in stream
        assert "27 left" in stream
        stream = await ask(ben, chat, "Request time off from 2001-03-03 to 2001-03-05")
        (waiting,) = (await ben.get(f"/api/chats/{chat}")).json()["pendingApprovals"]
        await ben.post(f"/api/chats/{chat}/deny", json={"callId": waiting["callId"]})
        assert "nothing was booked" in (await ben.post(f"/api/chats/{chat}/resume")).text
