"""The application's parts, opened together and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic_ai import Agent

from .database import HrDatabase, Sessions, open_database, sessions_of
from .embeddings import open_embedder
from .guided import Guided
from .indexes import index_of
from .ingest import Ingestion
from .llm import is_small, open_llm
from .search import Search
from .settings import Settings
from .shipped_vectors import WithShippedVectors
from .time_off import Vacation
from .tools import Desk, hr_agent

Say = Callable[[str], None]

WARM_UP = "What may a hotel night cost?"
"""The first answer of the local LLM reads what all prompts begin with, which takes seconds."""

WARM = "The LLM is warm"

NOBODY = 0
"""No person has this id: the question for the warm-up is about the handbook."""


@dataclass(frozen=True)
class Hr:
    settings: Settings
    db: HrDatabase
    sessions: Sessions
    search: Search
    ingestion: Ingestion
    agent: Agent[Desk, str]

    def desk_of(self, user_id: int, *, is_administrator: bool = False) -> Desk:
        vacation = Vacation(self.sessions, user_id, site=self.settings.site)
        return Desk(self.search, vacation, sees_figures=is_administrator)


@asynccontextmanager
async def open_hr(settings: Settings, say: Say) -> AsyncIterator[Hr]:
    """Everything but the web: database, handbook, search and LLM, with a line for each step.

    The local LLM loads while the rest is opened, and warms up while the first person signs in.
    """
    async with AsyncExitStack() as opened:
        say("Starting the LLM")
        loading = asyncio.create_task(opened.enter_async_context(open_llm(settings)))
        try:
            say("Starting the database")
            db, ingestion, search = await opened.enter_async_context(open_shelf(settings, say))
            llm = await loading
        finally:
            await _ended(loading)
        say(f"Answers come from {llm if isinstance(llm, str) else llm.model_name}")
        agent = hr_agent(Guided(llm, search) if is_small(llm) else llm)
        hr = Hr(settings, db, sessions_of(db), search, ingestion, agent)
        warming = asyncio.create_task(_warm_up(hr, say))
        try:
            yield hr
        finally:
            await _ended(warming)


async def _warm_up(hr: Hr, say: Say) -> None:
    """A question before anybody's. One that comes meanwhile waits for it."""
    if not isinstance(hr.agent.model, Guided):
        return
    try:
        await hr.agent.run(WARM_UP, deps=hr.desk_of(NOBODY))
        say(WARM)
    except Exception as error:  # noqa: BLE001 - whoever asks meets it, in their answer
        say(f"The LLM does not answer: {error}")


async def _ended(task: asyncio.Task[Any]) -> None:
    """It is given up unless it is done. Its error is for whoever awaits its result."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def open_shelf(
    settings: Settings, say: Say
) -> AsyncIterator[tuple[HrDatabase, Ingestion, Search]]:
    """The database with the handbook in it, up to date, and the search over it."""
    async with open_database(settings, say) as db:
        embedder = WithShippedVectors(open_embedder(settings.embeddings))
        sessions = sessions_of(db)
        ingestion = Ingestion(sessions, embedder)
        done = await ingestion.folder(
            settings.handbook, lambda place, total, name: say(f"Reading {place}/{total} {name}")
        )
        say(f"Handbook: {done.new} new, {done.unchanged} unchanged, {done.removed} removed")
        yield db, ingestion, Search(sessions, index_of(db.engine), embedder)
