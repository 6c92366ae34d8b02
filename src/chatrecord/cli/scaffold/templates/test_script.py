"""Questions and their answers, with an LLM whose answers are written here."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chatrecord.sqlalchemy import list_chats
from chatrecord.testing import Script, say

from database import open_database, prepare
from main import ask


def test_the_next_question_goes_on_with_the_chat(tmp_path: Path) -> None:
    async def asked() -> None:
        async with open_database(f"sqlite:///{tmp_path / 'test.db'}") as db:
            await prepare(db)
            llm = Script([say("Hello.")], [say("Good-bye.")])
            assert await ask(db, "Hello?", "ann", llm) == "Hello."
            assert await ask(db, "Are you there?", "ann", llm) == "Good-bye."
            assert len(await list_chats(db, user_id="ann")) == 1

    asyncio.run(asked())
