"""Files of messages. A request may outlive its chat."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Uuid

from chatrecord.alembic.frozen_types import Bytes, Key, LongText, Moment
from chatrecord.alembic.steps import create_table, drop_not_null
from chatrecord.alembic.versions.r0001_chats import requests

revision = "0002"
down_revision = "0001"

metadata = MetaData()
Table("llm_chats", metadata, Column("id", Uuid(), primary_key=True))
attachments = Table(
    "llm_attachments",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("hash", Key(), nullable=False),
    Column("media_type", LongText(), nullable=False),
    Column("name", LongText()),
    Column("size", Integer(), nullable=False),
    Column("data", Bytes()),
    Column("stored_at", Moment()),
    Column("chat_id", Uuid(), ForeignKey("llm_chats.id", ondelete="CASCADE"), nullable=False),
    Index("ix_llm_attachments_chat_id_hash", "chat_id", "hash", unique=True),
)


def upgrade() -> None:
    """Create the table, and let the column of requests be NULL."""
    create_table(attachments)
    # Tables from before the first commit had NOT NULL here.
    drop_not_null(requests, "chat_id")
