"""The small model on this machine, and the application that chooses its tools."""

import re
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import date
from time import monotonic

import pytest
from hr.answers import Quote
from hr.guided import Guided, chosen_step, grammar_of, reported
from hr.indexes import index_of
from hr.search import Search
from hr.time_off import NotPossible, Vacation
from hr.tools import hr_agent
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.test import TestModel

from chatrecord.local import local_llm
from conftest import ask, new_chat, opened, signed_in


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("How many vacation days do I have left?", "check_vacation_balance"),
        ("how much leave is left for me", "check_vacation_balance"),
        ("I like Spain, how many vacation days do I have left?", "check_vacation_balance"),
        ("How many vacation days do employees get?", "search_handbook"),
        ("My aunt has died, how much time off do I have?", "search_handbook"),
        ("How many days off do I have if I move?", "search_handbook"),
        ("May I fly business class?", "search_handbook"),
        ("Hello", "search_handbook"),
        ("Please request time off from 2026-12-21 to 2026-12-23", "request_time_off"),
        ("I need vacation on 2026-12-21", "request_time_off"),
        ("Can I take time off in December?", "search_handbook"),
        ("I'd like to take next Friday off", "request_time_off"),
        ("Book the first week of August off, please", "request_time_off"),
        ("Do I need to take leave on 24 December?", "search_handbook"),
    ],
)
def test_the_application_chooses_by_the_form_of_a_question(question, tool):
    assert chosen_step(question).tool_name == tool


@pytest.mark.parametrize("words", ["book off ", "how many leave "])
def test_a_hostile_question_delays_nobody(words):
    """Its patterns try every place of each word with every place of the others."""
    start = monotonic()
    chosen_step(words * 1_000)
    assert monotonic() - start < 0.5


def test_the_dates_and_the_reason_are_taken_as_they_were_written():
    call = chosen_step("Book vacation from 2026-12-21 until 2026-12-23 because of a wedding")
    assert call.args == {
        "first_day": "2026-12-21",
        "last_day": "2026-12-23",
        "reason": "of a wedding",
    }


def test_a_day_that_is_in_no_calendar_is_refused_in_a_sentence():
    told = chosen_step("I want a day off on 2027-13-45")
    assert told.content == "This cannot be booked: 2027-13-45 is in no calendar."


def test_a_validation_dump_is_no_answer():
    errors = '2 validation errors: [{"type": "date_parsing", "loc": ["first_day"]}]'
    told = reported(ToolReturnPart("request_time_off", errors, "1", outcome="failed"))
    assert told == "That did not work. Try again, or write to people@larkfield.example."


def test_a_search_without_an_answer_does_not_claim_that_nothing_was_found():
    nothing = ToolReturnPart("search_handbook", [], "1")
    assert reported(nothing).startswith("I found nothing about that")
    passages = ToolReturnPart("search_handbook", [{"number": 1, "text": "Dogs."}], "1")
    assert reported(passages).startswith("None of the passages found seems to answer that")


async def test_a_journey_on_the_real_model(sqlite_url, embedder):
    """An answer that cites a passage, with the application's search in the audit trail."""
    async with (
        guided(sqlite_url, embedder) as hr,
        signed_in(hr, "ben") as ben,
        signed_in(hr, "admin") as admin,
    ):
        chat = await new_chat(ben)
        stream = await ask(ben, chat, "When is salary paid?")
        assert stream.count("text-delta") > 3
        trail = (await admin.get(f"/administration/api/chats/{chat}")).json()
        searched, answered = trail["requests"]
        assert (searched["model"], searched["cost"]) == ("application", None)
        assert answered["provider"] == "local"
        assert answered["tokens"]["output"] > 0
        assert answered["tokens"]["input"] < 400
        (call,) = trail["tool_calls"]
        assert call["arguments"] == {"query": "When is salary paid?"}
        assert call["result"][0]["document"] == "pay.md"
        answer = trail["messages"][-1]["text"]
        quoted, cited, _ = answer.partition(" [1]")
        assert cited
        assert "25th" in quoted
        assert quoted in " ".join(call["result"][0]["text"].split())

        await ask(ben, chat, "Xylophone quasar zebra?")
        trail = (await admin.get(f"/administration/api/chats/{chat}")).json()
        assert "I found nothing" in trail["messages"][-1]["text"]
        assert trail["requests"][-1]["model"] == "application"


async def test_a_document_with_odd_characters_can_be_quoted(tmp_path, embedder):
    odd = 'Say "Yak\\n" twice.\tThen\x01 bow: 🐂 | ( " [9]" )? Done!'
    url = f"sqlite:///{tmp_path / 'odd.db'}"
    async with (
        guided(url, embedder) as hr,
        signed_in(hr, "ben") as ben,
    ):
        await hr.ingestion.document("yaks.txt", odd.encode(), "upload")
        assert '"finishReason":"stop"' in await ask(ben, await new_chat(ben), "Who bows to yaks?")


def test_the_grammar_allows_the_quotes_and_the_next_sentence():
    quotes = (Quote(3, "One.", ("Two.",)), Quote(4, "Three."))
    expected = r'root ::= "One." (" " "Two.")? " [3]" "\n\n" "Three." " [4]"'
    assert grammar_of(quotes) == expected


async def test_time_off_is_requested_approved_and_confirmed_without_a_key(sqlite_url, embedder):
    async with (
        guided(sqlite_url, embedder) as hr,
        signed_in(hr, "ben") as ben,
    ):
        chat = await new_chat(ben)
        await ask(ben, chat, "Request time off from 2031-03-03 to 2031-03-05")
        (waiting,) = (await ben.get(f"/api/chats/{chat}")).json()["pendingApprovals"]
        await ben.post(f"/api/chats/{chat}/approve", json={"callId": waiting["callId"]})
        stream = (await ben.post(f"/api/chats/{chat}/resume")).text
        assert "3 working days" in stream
        assert "27 left" in stream
        await ask(ben, chat, "Request time off from 2031-04-01 to 2031-04-02")
        (waiting,) = (await ben.get(f"/api/chats/{chat}")).json()["pendingApprovals"]
        await ben.post(f"/api/chats/{chat}/deny", json={"callId": waiting["callId"]})
        assert "nothing was booked" in (await ben.post(f"/api/chats/{chat}/resume")).text


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("Request time off from 2001-03-03 to 2001-03-05", "2001-03-03 is in the past"),
        ("I want yesterday off", "is in the past"),
        ("Book vacation from 2032-03-05 to 2032-03-03", "2032-03-03 is before 2032-03-05"),
        ("Book vacation from 2032-03-06 to 2032-03-07", "has no working day in it"),
        ("Book 2032-12-25 off", "has no working day|is free already"),
        ("Book vacation from 2032-03-01 to 2032-08-31", "28 are left in 2032"),
        ("Book vacation from 2033-03-01 to 2033-03-02", "is booked already"),
    ],
)
async def test_the_impossible_is_refused_before_anybody_is_asked(sqlite_url, embedder, wish, told):
    async with guided(sqlite_url, embedder, llm=TestModel()) as hr, signed_in(hr, "ada") as ada:
        with suppress(NotPossible):
            await Vacation(hr.sessions, 1).book(date(2033, 3, 2), date(2033, 3, 2), "")
        chat = await new_chat(ada)
        stream = await ask(ada, chat, wish)
        assert re.search(told, stream), stream
        assert "cannot be booked" in stream
        assert (await ada.get(f"/api/chats/{chat}")).json()["pendingApprovals"] == []


@asynccontextmanager
async def guided(url, embedder, llm=None):
    """The application with the local LLM, or one that is never asked."""
    async with AsyncExitStack() as stack:
        model = llm or await stack.enter_async_context(local_llm())
        plain = await stack.enter_async_context(opened(url, embedder, model))
        agent = hr_agent(Guided(model, Search(plain.sessions, index_of(plain.db.engine), embedder)))
        yield replace(plain, agent=agent)
