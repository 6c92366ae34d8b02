"""Queued questions, forks, deleted chats that are kept for a time, and kinds of requests."""

from __future__ import annotations

from sqlalchemy import Column, Uuid

from chatrecord.alembic.frozen_types import Document, Key, Moment
from chatrecord.alembic.steps import add_column

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    add_column("llm_chats", Column("forked_from", Uuid()))
    add_column("llm_chats", Column("forked_at", Uuid()))
    add_column("llm_chats", Column("deleted_at", Moment()))
    add_column("llm_runs", Column("parent_run_id", Uuid()))
    add_column("llm_runs", Column("question", Document()))
    add_column("llm_requests", Column("kind", Key()))
    add_column("llm_usage_days", Column("kind", Key()), beside="llm_requests")
