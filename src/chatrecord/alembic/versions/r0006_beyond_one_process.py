"""Queued questions, forks, deleted chats that are kept for a time, kinds of requests, events."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, MetaData, Table, Uuid

from chatrecord.alembic.frozen_types import Document, Json, Key, LongText, Moment
from chatrecord.alembic.steps import add_column, create_table
from chatrecord.alembic.versions.r0001_chats import chats

revision = "0006"
down_revision = "0005"

events = Table(
    "llm_events",
    MetaData(),
    Column("id", Uuid(), primary_key=True),
    Column("position", BigInteger()),
    Column("chat_order", BigInteger(), nullable=False),
    Column("type", Key(), nullable=False),
    Column("chat_id", Uuid()),
    Column("run_id", Uuid()),
    Column("created_at", Moment(), nullable=False),
    Column("data", Json()),
)
Index("ix_llm_events_position", events.c.position, unique=True)
Index("ix_llm_events_chat_id", events.c.chat_id)

event_readers = Table(
    "llm_event_readers",
    MetaData(),
    Column("name", Key(), primary_key=True),
    Column("position", BigInteger(), nullable=False),
    Column("waiting", Json()),
    Column("owner", Key()),
    Column("lease_until", Moment()),
)

feedback = Table(
    "llm_feedback",
    MetaData(),
    Column("id", Uuid(), primary_key=True),
    Column("message_id", Uuid(), nullable=False),
    Column("run_id", Uuid()),
    Column("owner", Key(), nullable=False),
    Column("value", Double(), nullable=False),
    Column("comment", LongText()),
    Column("created_at", Moment(), nullable=False),
    Column("updated_at", Moment(), nullable=False),
    Column("chat_id", Uuid(), ForeignKey(chats.c.id, ondelete="CASCADE"), nullable=False),
    Index("ix_llm_feedback_chat_id_run_id", "chat_id", "run_id"),
    Index("ix_llm_feedback_created_at_id", "created_at", "id"),
    Index("ix_llm_feedback_message_id_owner", "message_id", "owner", unique=True),
)


def upgrade() -> None:
    """Add the columns and the tables."""
    add_column("llm_chats", Column("forked_from", Uuid()))
    add_column("llm_chats", Column("forked_at", Uuid()))
    add_column("llm_chats", Column("restored", Json()))
    add_column("llm_chats", Column("deleted_at", Moment()))
    add_column("llm_chats", Column("parent_run_id", Uuid()))
    add_column("llm_runs", Column("parent_run_id", Uuid()))
    add_column("llm_runs", Column("question", Document()))
    add_column("llm_requests", Column("kind", Key()))
    add_column("llm_usage_days", Column("kind", Key()), beside="llm_requests")
    create_table(events)
    create_table(event_readers)
    create_table(feedback)
