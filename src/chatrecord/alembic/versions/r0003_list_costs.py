"""The list price of a request beside what its provider reported."""

from __future__ import annotations

from sqlalchemy import Column

from chatrecord.alembic.frozen_types import Money
from chatrecord.alembic.steps import add_column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    add_column("llm_requests", Column("list_cost", Money()))
