"""Chats, their runs, messages, tool calls and requests, and the journal of live answers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Uuid,
)

from chatrecord.alembic.frozen_types import Document, Json, Key, LongText, Moment, Money
from chatrecord.alembic.steps import create_table

revision = "0001"
down_revision = None

metadata = MetaData()


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _chat(*, nullable: bool = False) -> Column[Any]:
    key = ForeignKey("llm_chats.id", ondelete="CASCADE")
    return Column("chat_id", Uuid(), key, nullable=nullable)


def _tokens() -> list[Column[Any]]:
    kinds = ("input", "output", "cache_read", "cache_write", "reasoning")
    return [Column(f"{kind}_tokens", Integer()) for kind in kinds]


chats = Table(
    "llm_chats",
    metadata,
    Column("user_id", Key()),
    Column("id", Uuid(), primary_key=True),
    Column("model", LongText()),
    Column("provider", LongText()),
    Column("agent", LongText()),
    Column("instructions", LongText()),
    Column("title", LongText()),
    _required("metadata", Json()),
    _required("next_seq", Integer()),
    _required("created_at", Moment()),
    _required("updated_at", Moment()),
    Index("ix_llm_chats_updated_at_id", "updated_at", "id"),
    Index("ix_llm_chats_user_id_updated_at_id", "user_id", "updated_at", "id"),
)
runs = Table(
    "llm_runs",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("active_chat_id", Uuid(), unique=True),
    _required("status", Key()),
    _required("owner", Key()),
    _required("epoch", Integer()),
    _required("lease_until", Moment()),
    _required("stop_requested", Boolean()),
    Column("idempotency_key", Key()),
    Column("instructions", LongText()),
    Column("settings", Json()),
    Column("error", LongText()),
    _required("started_at", Moment()),
    Column("finished_at", Moment()),
    _chat(),
    Index("ix_llm_runs_chat_id_idempotency_key", "chat_id", "idempotency_key", unique=True),
    Index("ix_llm_runs_status_chat_id", "status", "chat_id"),
)
messages = Table(
    "llm_messages",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("run_id", Uuid()),
    _required("seq", Integer()),
    _required("role", Key()),
    _required("status", Key()),
    _required("text", LongText()),
    Column("reasoning", LongText()),
    Column("content", Document()),
    Column("format", Key()),
    Column("model", LongText()),
    Column("provider", LongText()),
    Column("finish_reason", LongText()),
    *_tokens(),
    _required("created_at", Moment()),
    Column("finished_at", Moment()),
    _chat(),
    Index("ix_llm_messages_chat_id_seq", "chat_id", "seq", unique=True),
    Index("ix_llm_messages_run_id", "run_id"),
)
tool_calls = Table(
    "llm_tool_calls",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("run_id", Uuid()),
    _required("message_id", Uuid()),
    _required("call_id", LongText()),
    _required("name", LongText()),
    Column("arguments", Document()),
    _required("status", Key()),
    Column("result", Document()),
    Column("error", LongText()),
    Column("started_at", Moment()),
    Column("finished_at", Moment()),
    Column("duration_ms", Double()),
    _chat(),
    Index("ix_llm_tool_calls_chat_id_id", "chat_id", "id"),
    Index("ix_llm_tool_calls_message_id", "message_id"),
)
requests = Table(
    "llm_requests",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("run_id", Uuid()),
    Column("message_id", Uuid()),
    Column("provider", LongText()),
    Column("model", LongText()),
    _required("status", Key()),
    Column("http_status", Integer()),
    Column("error_type", LongText()),
    Column("error", LongText()),
    Column("provider_request_id", LongText()),
    _required("streamed", Boolean()),
    _required("started_at", Moment()),
    Column("latency_ms", Double()),
    Column("first_token_ms", Double()),
    *_tokens(),
    Column("cost", Money()),
    Column("price_source", Key()),
    _chat(nullable=True),
    Index("ix_llm_requests_chat_id_id", "chat_id", "id"),
    Index("ix_llm_requests_started_at", "started_at"),
)
chunks = Table(
    "llm_chunks",
    metadata,
    Column(
        "message_id", Uuid(), ForeignKey("llm_messages.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("seq", Integer(), primary_key=True, autoincrement=False),
    Column("payload", Json()),
)


def upgrade() -> None:
    """Create the tables, unless there are chats."""
    for table in (chats, runs, messages, tool_calls, requests, chunks):
        create_table(table, is_first=True)
