"""The SQLAlchemy store keeps every promise on SQLite, PostgreSQL and MariaDB alike."""

from chatrecord.testing.conformance import Conformance


class TestSqlAlchemy(Conformance):
    """The fixture `home` is each database in turn."""
