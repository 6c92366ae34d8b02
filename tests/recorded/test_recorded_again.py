"""What `recorded` keeps of real traffic gives the same rows again, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatrecord.chats.chat import Chat
from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, recorded

from .conversation import instructions, questions, recorded_tools, replayed
from .recordings import Recording, parameters
from .wires import wire_of

long_chats = pytest.mark.parametrize("recording", list(parameters(answers=True, at_least=2)))
refusals = pytest.mark.parametrize("recording", list(parameters(answers=False)))


@long_chats
async def test_answers(db: Database, recording: Recording, tmp_path: Path) -> None:
    file = tmp_path / "again.json"
    async with replayed(recording) as (server, model), recorded(model, file) as llm:
        first = await hold(db, llm, recording)
        assert server.unused == 0
    async with replayed(recording) as (server, model), recorded(model, file) as llm:
        second = await hold(db, llm, recording)
        assert server.received == []
    assert await told(second) == await told(first)

    script = await Script.from_chat(first)
    third = await create_chat(db, script, tools=script.tools)
    for question in script.questions:
        await third.ask(question)
    assert await said(third) == await said(first)


@refusals
async def test_refusals(db: Database, recording: Recording, tmp_path: Path) -> None:
    file, errors = tmp_path / "again.json", list[ProviderError]()
    for _ in range(2):
        async with replayed(recording) as (server, model), recorded(model, file) as llm:
            with pytest.raises(ProviderError) as refused:
                await hold(db, llm, recording)
        errors.append(refused.value)
    assert server.received == []
    assert type(errors[1]) is type(errors[0])
    assert str(errors[1]) == str(errors[0])


async def hold(db: Database, llm: Any, recording: Recording) -> Chat:
    first = recording.exchanges[0]
    wire = wire_of(first)
    options: dict[str, Any] = {
        "settings": wire.settings(first.asked),
        "tools": recorded_tools(wire, recording),
        "retries": 0,
    }
    chat = await create_chat(db, llm, instructions=instructions(wire, first), **options)
    for question in questions(wire, recording):
        await chat.ask(question)
    return chat


async def told(chat: Chat) -> list[object]:
    requests = await chat.requests()
    return [
        *await said(chat),
        *[(it.tokens, it.cost, it.provider_request_id, it.model) for it in requests],
    ]


async def said(chat: Chat) -> list[object]:
    messages, calls = await chat.messages(100), await chat.tool_calls()
    return [
        *[(it.role, it.status, it.text, it.reasoning) for it in messages],
        *[
            (
                it.call_id.startswith("pyd_ai_") or it.call_id,
                it.name,
                it.arguments,
                it.status,
                it.result,
            )
            for it in calls
        ],
    ]
