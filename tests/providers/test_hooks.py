"""What a provider really gets when hooks change the requests, by the bodies that came to it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic_ai import BinaryContent, ModelRetry
from pydantic_ai.models import Model

from chatrecord.chats.chat import Chat
from chatrecord.errors import ProviderError, Refused, RunInterrupted
from chatrecord.hooks import LogUsage, MaskPersonalData, Moderate
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says, server_error
from .conftest import Provider
from .server import ProviderServer

MAIL, PHONE, IBAN = "ann@example.com", "+49 171 1234567", "DE89 3704 0044 0532 0130 00"
CARD, IP = "4111 1111 1111 1111", "192.168.17.4"
PERSONAL = (MAIL, PHONE, IBAN, CARD, IP, CARD.replace(" ", ""))
ALL = f"{MAIL}, {PHONE}, {IBAN}, {CARD}, {IP}"


@dataclass
class Customer:
    mail: str
    card: int


def bodies(server: ProviderServer) -> list[str]:
    return [json.dumps(received.body, ensure_ascii=False) for received in server.received]


def leaks(texts: list[str]) -> list[str]:
    return [value for value in PERSONAL for text in texts if value in text]


async def rows_of(chat: Chat) -> str:
    return str([await chat.messages(limit=99), await chat.tool_calls(), await chat.requests()])


def find(who: str) -> dict[str, Any]:
    """Look somebody up."""
    return {
        MAIL: {"phone": PHONE, "card": int(CARD.replace(" ", "")), "notes": [IBAN, None]},
        "asked": who,
        "customer": Customer(MAIL, int(CARD.replace(" ", ""))),
    }


def refuse(who: str) -> str:
    """Say no."""
    msg = f"{who} is not {ALL}"
    raise ModelRetry(msg)


async def test_nothing_personal_leaves_in_any_request(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(
        Answer(text=("I know ", ALL), reasoning=("Who is ", MAIL) if provider.thinks else ()),
        Answer(calls=(Call("call_1", "find", {"who": MAIL, IP: [PHONE]}),)),
        Answer(
            calls=(Call("call_2", "find", {"who": MAIL}), Call("call_3", "refuse", {"who": IP}))
        ),
        server_error(retry_after=0),
        says("Done ", ALL),
        says("Fine"),
    )
    before = await create_chat(db, llm, instructions=f"You serve {ALL}", settings=provider.thinks)
    await before.ask(f"I am {ALL}")
    assert leaks(bodies(server)), "without the hook all of it leaves"

    masked = {"hooks": [MaskPersonalData()], "tools": [find, refuse]}
    chat = await load_chat(db, llm, before.id, **masked)
    file = BinaryContent(f"Notes on {ALL}".encode(), media_type="text/plain")
    await chat.ask([f"Look up {ALL}", file] if provider.name == "openai-chat" else f"Find {ALL}")
    await (await load_chat(db, llm, chat.id, **masked)).ask("And now?")

    assert len(server.received) == 6
    assert leaks(bodies(server)[1:]) == []
    assert all("[EMAIL_" in body for body in bodies(server)[1:])
    assert MAIL in await rows_of(chat), "the rows keep what was said"
    assert "[EMAIL_" not in (await chat.messages(limit=99))[-3].text


async def test_a_placeholder_stays_the_same_in_any_process(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello"), says("Again"))
    chat = await create_chat(db, llm, hooks=[MaskPersonalData()])
    await chat.ask(f"I am {MAIL}")
    await (await load_chat(db, llm, chat.id, hooks=[MaskPersonalData()])).ask(f"Not {IP}")

    placeholder = MaskPersonalData().masked(chat.id, MAIL)
    assert all(placeholder in body for body in bodies(server))


async def test_tools_and_readers_get_the_values_and_the_provider_placeholders(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    asked: list[str] = []

    def write(to: str) -> str:
        asked.append(to)
        return f"sent to {to}"

    mask = MaskPersonalData(answers="real")
    chat = await create_chat(db, llm, tools=[write], hooks=[mask])
    mail = mask.masked(chat.id, MAIL)
    server.script(
        Answer(calls=(Call("call_1", "write", {"to": mail}),)),
        says("Sent to ", *mail, ".", pause=0.005),
        says("Yes"),
    )
    chunks = [chunk async for chunk in chat.stream(f"Write to {MAIL}")]
    await chat.ask("Really?")

    assert asked == [MAIL]
    assert "".join(chunk.text for chunk in chunks) == f"Sent to {MAIL}."
    assert (await chat.messages(limit=99))[3].text == f"Sent to {MAIL}."
    assert [call.arguments for call in await chat.tool_calls()] == [{"to": MAIL}]
    assert leaks(bodies(server)) == []
    assert f"Sent to {mail}." in bodies(server)[2]


async def test_rows_hold_placeholders_if_asked_to(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    mask = MaskPersonalData(rows="mask")
    chat = await create_chat(db, llm, tools=[find, refuse], hooks=[mask])
    who = mask.masked(chat.id, MAIL)
    server.script(
        Answer(text=("Let me see.",), calls=(Call("call_1", "find", {"who": who}),)),
        Answer(calls=(Call("call_2", "refuse", {"who": who}),)),
        says("Done ", who),
        says("Yes"),
    )
    reply = await chat.ask(f"Look up {ALL}")
    await (await load_chat(db, llm, chat.id, hooks=[mask])).ask("Sure?")

    assert leaks([await rows_of(chat), *bodies(server)]) == []
    assert reply.text == f"Done {who}"
    assert (await chat.tool_calls())[1].status == "failed"
    assert (await chat.tool_calls())[0].arguments == {"who": who}


async def test_moderation_keeps_a_question_from_the_provider(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    async def strict(text: str) -> str | None:
        return "No secrets, please" if "secret" in text else None

    server.script(says("Hello"))
    chat = await create_chat(db, llm, hooks=[Moderate(prompts=strict)])
    with pytest.raises(Refused, match="No secrets, please"):
        await chat.ask("Tell me the secret")
    assert server.received == []
    await chat.ask("Hi")

    assert "secret" not in bodies(server)[0]
    assert (await chat.messages())[0].status == "superseded"


async def test_moderation_refuses_an_answer(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("the secret ", "is out"), says("Hello"))
    hook = Moderate(answers=lambda text: "Not that" if "secret" in text else None)
    chat = await create_chat(db, llm, hooks=[hook])
    with pytest.raises(Refused, match="Not that") as refusal:
        await chat.ask("Tell me")
    assert refusal.value.text == ""
    await chat.ask("Hi")

    assert "secret" not in bodies(server)[1]
    assert (await chat.messages())[1].text == "the secret is out"


async def test_a_request_that_was_cut_off_is_logged_once(
    db: Database, llm: Model, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chatrecord.usage")
    server.script(says("Hel", ends="truncated"))
    chat = await create_chat(db, llm, hooks=[LogUsage()])
    with pytest.raises(RunInterrupted):
        await chat.ask("Hi")

    lines = [it.__dict__["chatrecord"] for it in caplog.records if it.name == "chatrecord.usage"]
    assert [(line["event"], line["status"]) for line in lines] == [
        ("request", "interrupted"),
        ("run", "interrupted"),
    ]


async def test_a_line_of_log_for_each_request_and_each_run(
    db: Database, llm: Model, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "llm")
    server.script(server_error(retry_after=0), says("Hello"), says("Hel", ends="dropped"))
    hooks = [LogUsage(logging.getLogger("llm"))]
    chat = await create_chat(db, llm, hooks=hooks)
    reply = await chat.ask("A question of mine")
    with pytest.raises(ProviderError):
        await chat.ask("Another question of mine")

    lines = [record.__dict__["chatrecord"] for record in caplog.records if record.name == "llm"]
    told = [(line["event"], line["status"]) for line in lines]
    assert told == [
        ("request", "failed"),
        ("request", "complete"),
        ("run", "complete"),
        ("request", "failed"),
        ("run", "failed"),
    ]
    rows = await chat.requests()
    assert [line["request_id"] for line in lines if "request_id" in line] == [
        str(r.id) for r in rows
    ]
    assert lines[1]["input_tokens"] == rows[1].tokens.input
    assert (lines[2]["run_id"], lines[2]["cost"]) == (str(reply.run_id), str(reply.usage.cost))
    assert "question" not in caplog.text
    assert "Hel" not in caplog.text
    assert f"run_id={reply.run_id}" in caplog.records[2].getMessage()
