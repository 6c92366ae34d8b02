"""The sums of past days, for reports that need not read their requests again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, Table

from chatrecord.alembic.frozen_types import Key, LongText, Moment, Money
from chatrecord.alembic.steps import create_table

revision = "0005"
down_revision = "0004"

usage_days = Table(
    "llm_usage_days",
    MetaData(),
    Column("day", Date(), primary_key=True),
    Column("place", Integer(), primary_key=True, autoincrement=False),
    Column("counted_at", Moment()),
    Column("provider", LongText()),
    Column("model", LongText()),
    Column("agent", LongText()),
    Column("status", Key()),
    Column("requests", Integer(), nullable=False),
    Column("input_tokens", BigInteger()),
    Column("output_tokens", BigInteger()),
    Column("cache_read_tokens", BigInteger()),
    Column("cache_write_tokens", BigInteger()),
    Column("reasoning_tokens", BigInteger()),
    Column("cost", Money()),
    Column("priced", Integer(), nullable=False),
    Column("reported", Integer(), nullable=False),
)


def upgrade() -> None:
    """Create the table, unless requests are not kept."""
    create_table(usage_days, beside="llm_requests")
