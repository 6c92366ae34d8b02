"""Alembic runs this file for each command on the ready-made tables."""

from __future__ import annotations

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    chatrecord_seen=attributes["seen"],
)
with context.begin_transaction():
    context.run_migrations()
