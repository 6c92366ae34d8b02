"""A real LLM sums a chat up, goes on with the summary, and gives it a title."""

from __future__ import annotations

import pytest

from chatrecord import Compact
from chatrecord.local import LocalServer
from chatrecord.local.model import model_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say

pytestmark = pytest.mark.local

STORY = "The train to Graz leaves at nine, and Ann has the tickets for all of us. " * 6


async def test_a_real_llm_sums_up_and_names_a_chat(db: Database) -> None:
    script = Script(*[[say(f"{STORY} {n}")] for n in range(2)])
    chat = await create_chat(db, script)
    await chat.ask("When does the train leave?")
    await chat.ask("And who has the tickets?")
    compact = Compact(above=120, keep=1, instructions="Sum the conversation up in one sentence.")

    with LocalServer() as server:
        async with model_of(server) as llm:
            settings = {"temperature": 0}
            again = await load_chat(db, llm, chat.id, compact=compact, settings=settings)
            reply = await again.ask("Thanks")
            title = await again.generate_title(instructions="Answer with two words.")

    (summary,) = await again.summaries()
    assert summary.text.strip()
    assert summary.tokens.output
    assert reply.usage.requests == 2
    assert title
    assert "\n" not in title
    assert (await load_chat(db, Script(), chat.id)).title == title
    side_requests = [row for row in await again.requests() if row.message_id in (summary.id, None)]
    assert [(row.status, row.error) for row in side_requests] == [("complete", None)] * 2
    assert all(row.tokens.input and row.latency_ms for row in side_requests)
