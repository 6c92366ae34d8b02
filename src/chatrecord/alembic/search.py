"""The search index in migrations of your own."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from chatrecord.sqlalchemy.sql.search_index import SIMPLE, SearchIndex, SearchTable


def create_search(
    chats: str = "llm_chats",
    messages: str = "llm_messages",
    *,
    title: str = "title",
    text: str = "text",
    language: str = SIMPLE,
    schema: str | None = None,
) -> None:
    """Create the index of `search_messages` on these tables.

        def upgrade() -> None:
            create_search("hr_chats", "hr_messages")

    `title` and `text` are the names of their columns. On PostgreSQL the index is built outside of
    the migration's transaction, while the tables are in use.
    """
    _execute(_index((chats, title), (messages, text), language, schema).create())


def drop_search(
    chats: str = "llm_chats", messages: str = "llm_messages", *, schema: str | None = None
) -> None:
    """Drop the index of `search_messages` on these tables."""
    _execute(_index((chats, "title"), (messages, "text"), SIMPLE, schema).drop())


def _index(
    titles: tuple[str, str], texts: tuple[str, str], language: str, schema: str | None
) -> SearchIndex:
    (chats, title), (messages, text) = titles, texts
    return SearchIndex(
        op.get_context().dialect,
        SearchTable(chats, schema, "id", title),
        SearchTable(messages, schema, "id", text, "role"),
        language,
    )


def _execute(statements: Sequence[str]) -> None:
    context = op.get_context()
    if context.dialect.name != "postgresql":
        for statement in statements:
            op.execute(statement)
        return
    with context.autocommit_block():  # no transaction may create an index concurrently
        for statement in statements:
            op.execute(statement)
