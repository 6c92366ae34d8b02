"""The other PostgreSQL driver takes the same values, and tells the same of what fails."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from chatrecord.sqlalchemy import Database
from chatrecord.testing.conformance.answers import AnswersAreRows
from chatrecord.testing.conformance.chats import ChatsAreKept
from chatrecord.testing.conformance.processes import ProcessesShare
from chatrecord.testing.conformance.titles import TitlesAreKept
from chatrecord.testing.conformance.values import ValuesComeBack


class TestPsycopg(ChatsAreKept, TitlesAreKept, AnswersAreRows, ValuesComeBack, ProcessesShare):
    """Where drivers differ: values, rows, and several of them at once."""

    @pytest.fixture
    def psycopg_url(self, postgresql_url: str) -> str:
        url = make_url(postgresql_url).set(drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)

    @pytest.fixture
    async def backend(self, psycopg_url: str) -> AsyncIterator[Database]:
        async with Database(psycopg_url) as db:
            yield db

    @pytest.fixture
    async def elsewhere(self, psycopg_url: str) -> AsyncIterator[Database]:
        async with Database(psycopg_url) as db:
            yield db
