"""The revision of the ready-made tables."""

REVISION = "0006"
"""What the models of this version are. Each change of a table is a new revision with a migration
in `chatrecord.alembic.versions`."""
