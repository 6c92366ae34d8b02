"""The application's parts, opened together and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic_ai import Agent

from .database import HrDatabase, Sessions, open_database, sessions_of
from .embeddings import open_embedder
from .guided import Guided
from .indexes import index_of
from .ingest import Ingestion
from .llm import open_llm
from .search import Search
from .settings import Settings
from .shipped_vectors import WithShippedVectors
from .time_off import Vacation
from .tools import Desk, hr_agent

Say = Callable[[str], None]

WARM_UP = "What may a hotel night cost?"
"""The first answer of the local LLM reads what all prompts begin with, which takes seconds."""

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
    """Everything but the web: database, handbook, search and LLM, with a line for each step."""
    say("Starting the database")
    async with open_shelf(settings, say) as (db, ingestion, search):
        say("Starting the LLM")
        async with open_llm(settings, search) as llm:
            say(f"Answers come from {llm if isinstance(llm, str) else llm.model_name}")
            hr = Hr(settings, db, sessions_of(db), search, ingestion, hr_agent(llm))
            if isinstance(llm, Guided):
                say("Warming it up")
                await hr.agent.run(WARM_UP, deps=hr.desk_of(NOBODY))
            yield hr


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
