"""A chat's title: the first words of its first question."""

from __future__ import annotations

from pydantic_ai import Agent

from chatrecord.hooks import Hook
from chatrecord.hooks.moments import RunEnd
from chatrecord.sqlalchemy import load_chat

from .database import HrDatabase
from .tools import Desk

LONGEST = 60


class Titles(Hook):
    """Gives a chat its title when its first answer ends, however it ends."""

    def __init__(self, db: HrDatabase, agent: Agent[Desk, str]) -> None:
        self._db = db
        self._agent = agent

    async def on_run_end(self, end: RunEnd) -> None:
        chat = await load_chat(self._db, self._agent, end.chat_id)
        if chat.title is None:
            (question,) = await chat.messages(1, before=2)
            await chat.rename(title_of(question.text))


def title_of(question: str) -> str:
    words = " ".join(question.split())
    if len(words) <= LONGEST:
        return words or "New chat"
    cut = words[:LONGEST].rpartition(" ")[0] or words[:LONGEST]
    return f"{cut} ..."
