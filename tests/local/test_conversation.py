"""One whole conversation with a real LLM, and the rows it leaves."""

from __future__ import annotations

import pytest

from chatrecord.local import INSTRUCTIONS, MODEL_NAME, WINDOW, local_llm
from chatrecord.records import Usage
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.sqlalchemy.database import ReadyMade

pytestmark = pytest.mark.local


async def test_a_conversation_with_a_real_llm_is_rows(db: Database[ReadyMade]) -> None:
    async with local_llm() as llm:
        chat = await create_chat(
            db, llm, instructions=INSTRUCTIONS, window=WINDOW, settings={"temperature": 0}
        )
        reply = await chat.ask("What is the capital of France?")
        assert "Paris" in reply.text

        chat = await load_chat(db, llm, chat.id, window=WINDOW, on_disconnect="stop")
        streamed = [chunk.text async for chunk in chat.stream("And what is the capital of Italy?")]
        assert len(streamed) > 1

        async with chat.stream("Tell me a very long story about a fox.") as stream:
            seen = (await anext(stream)).text
        last = await chat.ask("Thank you!")
    messages = await chat.messages()
    assert [message.role for message in messages] == ["user", "assistant"] * 4
    assert [message.status for message in messages[1::2]] == [
        "complete", "complete", "interrupted", "complete",
    ]  # fmt: skip
    assert messages[1].text == reply.text
    assert messages[3].text == "".join(streamed)
    assert messages[5].text.startswith(seen)
    assert messages[7].text == last.text


async def test_tokens_are_counted_and_money_is_not_made_up(db: Database[ReadyMade]) -> None:
    async with local_llm() as llm:
        chat = await create_chat(db, llm, settings={"max_tokens": 4})
        reply = await chat.ask("Hi!")
    (request,) = await chat.requests()
    assert (request.provider, request.model) == ("local", MODEL_NAME)
    assert (request.status, request.http_status, request.streamed) == ("complete", 200, True)
    assert request.tokens.output == 4
    assert (request.tokens.input or 0) > 4
    assert (request.cost, request.price_source, reply.cost) == (None, None, None)
    assert request.first_token_ms is not None
    assert reply.finish_reason == "length"
    assert await chat.usage() == Usage(
        input_tokens=request.tokens.input,
        output_tokens=4,
        cache_read_tokens=request.tokens.cache_read,
        cache_write_tokens=request.tokens.cache_write,
        reasoning_tokens=request.tokens.reasoning,
        requests=1,
        unpriced_requests=1,
    )
