"""The journal without its foreign key, for which PostgreSQL locked a message for each row."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Uuid

from chatrecord.alembic.frozen_types import Json
from chatrecord.alembic.steps import drop_foreign_key

revision = "0004"
down_revision = "0003"

chunks = Table(
    "llm_chunks",
    MetaData(),
    Column("message_id", Uuid(), primary_key=True),
    Column("seq", Integer(), primary_key=True, autoincrement=False),
    Column("payload", Json()),
)


def upgrade() -> None:
    """Drop it."""
    drop_foreign_key(chunks, "message_id")
