"""Chats."""

import chatrecord.sqlalchemy.types
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "chat_chunks",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", chatrecord.sqlalchemy.types.PrivateJson(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "seq"),
    )
    op.create_table(
        "chat_usage_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("provider", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("model", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("agent", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("status", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost", chatrecord.sqlalchemy.types.Money(), nullable=True),
        sa.Column("priced", sa.Integer(), nullable=False),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.Column("kind", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.PrimaryKeyConstraint("day", "place"),
    )
    op.create_table(
        "chat_event_readers",
        sa.Column("name", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("waiting", chatrecord.sqlalchemy.types.PrivateJson(), nullable=True),
        sa.Column("owner", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("lease_until", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "chat_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("chat_order", sa.BigInteger(), nullable=False),
        sa.Column("type", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("chat_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("data", chatrecord.sqlalchemy.types.PrivateJson(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_events_chat_id"), ["chat_id"], unique=False)
        batch_op.create_index("ix_chat_events_position", ["position"], unique=True)

    op.create_table(
        "chats",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("model", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("provider", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("agent", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("instructions", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("title", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("metadata", chatrecord.sqlalchemy.types.PrivateJson(), nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("forked_from", sa.Uuid(), nullable=True),
        sa.Column("forked_at", sa.Uuid(), nullable=True),
        sa.Column("restored", chatrecord.sqlalchemy.types.PrivateJson(), nullable=True),
        sa.Column("deleted_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("parent_run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chats", schema=None) as batch_op:
        batch_op.create_index("ix_chats_updated_at_id", ["updated_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chats_user_id"), ["user_id"], unique=False)

    op.create_table(
        "chat_attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hash", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("media_type", chatrecord.sqlalchemy.types.LongText(), nullable=False),
        sa.Column("name", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", chatrecord.sqlalchemy.types.Bytes(), nullable=True),
        sa.Column("stored_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_attachments", schema=None) as batch_op:
        batch_op.create_index("ix_chat_attachments_chat_id_hash", ["chat_id", "hash"], unique=True)

    op.create_table(
        "chat_feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("owner", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("comment", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("created_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_feedback", schema=None) as batch_op:
        batch_op.create_index(
            "ix_chat_feedback_chat_id_run_id", ["chat_id", "run_id"], unique=False
        )
        batch_op.create_index("ix_chat_feedback_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_chat_feedback_message_id_owner", ["message_id", "owner"], unique=True
        )

    op.create_table(
        "chat_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("role", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("status", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("text", chatrecord.sqlalchemy.types.PrivateText(), nullable=False),
        sa.Column("reasoning", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("content", chatrecord.sqlalchemy.types.PrivateDocument(), nullable=True),
        sa.Column("format", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("model", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("provider", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("finish_reason", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("created_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("finished_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_messages", schema=None) as batch_op:
        batch_op.create_index("ix_chat_messages_chat_id_seq", ["chat_id", "seq"], unique=True)
        batch_op.create_index(batch_op.f("ix_chat_messages_run_id"), ["run_id"], unique=False)

    op.create_table(
        "chat_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("provider", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("model", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("status", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("error_type", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("error", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("provider_request_id", chatrecord.sqlalchemy.types.LongText(), nullable=True),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("started_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("first_token_ms", sa.Double(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=True),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=True),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=True),
        sa.Column("cost", chatrecord.sqlalchemy.types.Money(), nullable=True),
        sa.Column("price_source", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("list_cost", chatrecord.sqlalchemy.types.Money(), nullable=True),
        sa.Column("kind", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_requests", schema=None) as batch_op:
        batch_op.create_index("ix_chat_requests_chat_id_id", ["chat_id", "id"], unique=False)
        batch_op.create_index("ix_chat_requests_started_at", ["started_at"], unique=False)

    op.create_table(
        "chat_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active_chat_id", sa.Uuid(), nullable=True),
        sa.Column("status", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("owner", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("idempotency_key", chatrecord.sqlalchemy.types.Key(), nullable=True),
        sa.Column("instructions", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("settings", chatrecord.sqlalchemy.types.PrivateJson(), nullable=True),
        sa.Column("error", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("started_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=False),
        sa.Column("finished_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("parent_run_id", sa.Uuid(), nullable=True),
        sa.Column("question", chatrecord.sqlalchemy.types.PrivateDocument(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("active_chat_id"),
    )
    with op.batch_alter_table("chat_runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_chat_runs_chat_id_idempotency_key", ["chat_id", "idempotency_key"], unique=True
        )
        batch_op.create_index("ix_chat_runs_status_chat_id", ["status", "chat_id"], unique=False)

    op.create_table(
        "chat_tool_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", chatrecord.sqlalchemy.types.LongText(), nullable=False),
        sa.Column("name", chatrecord.sqlalchemy.types.LongText(), nullable=False),
        sa.Column("arguments", chatrecord.sqlalchemy.types.PrivateDocument(), nullable=True),
        sa.Column("status", chatrecord.sqlalchemy.types.Key(), nullable=False),
        sa.Column("result", chatrecord.sqlalchemy.types.PrivateDocument(), nullable=True),
        sa.Column("error", chatrecord.sqlalchemy.types.PrivateText(), nullable=True),
        sa.Column("started_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", chatrecord.sqlalchemy.types.UtcDateTime(), nullable=True),
        sa.Column("duration_ms", sa.Double(), nullable=True),
        sa.Column("chat_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("chat_tool_calls", schema=None) as batch_op:
        batch_op.create_index("ix_chat_tool_calls_chat_id_id", ["chat_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_chat_tool_calls_message_id"), ["message_id"], unique=False
        )


def downgrade() -> None:
    """Drop them, with all chats."""
    with op.batch_alter_table("chat_tool_calls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_tool_calls_message_id"))
        batch_op.drop_index("ix_chat_tool_calls_chat_id_id")

    op.drop_table("chat_tool_calls")
    with op.batch_alter_table("chat_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_runs_status_chat_id")
        batch_op.drop_index("ix_chat_runs_chat_id_idempotency_key")

    op.drop_table("chat_runs")
    with op.batch_alter_table("chat_requests", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_requests_started_at")
        batch_op.drop_index("ix_chat_requests_chat_id_id")

    op.drop_table("chat_requests")
    with op.batch_alter_table("chat_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_messages_run_id"))
        batch_op.drop_index("ix_chat_messages_chat_id_seq")

    op.drop_table("chat_messages")
    with op.batch_alter_table("chat_feedback", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_feedback_message_id_owner")
        batch_op.drop_index("ix_chat_feedback_created_at_id")
        batch_op.drop_index("ix_chat_feedback_chat_id_run_id")

    op.drop_table("chat_feedback")
    with op.batch_alter_table("chat_attachments", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_attachments_chat_id_hash")

    op.drop_table("chat_attachments")
    with op.batch_alter_table("chats", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chats_user_id"))
        batch_op.drop_index("ix_chats_updated_at_id")

    op.drop_table("chats")
    with op.batch_alter_table("chat_events", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_events_position")
        batch_op.drop_index(batch_op.f("ix_chat_events_chat_id"))

    op.drop_table("chat_events")
    op.drop_table("chat_event_readers")
    op.drop_table("chat_usage_days")
    op.drop_table("chat_chunks")
