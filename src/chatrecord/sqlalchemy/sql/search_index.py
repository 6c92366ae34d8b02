"""The SQL of the search index: what it is made of on each database, and how it is found.

PostgreSQL indexes an expression. MySQL and MariaDB need a stored column with a collation that
ignores case. SQLite has a table of FTS5, kept by triggers; its documents are numbered by a table,
because VACUUM may renumber the rows of tables whose key is no integer.

Encrypted values, which begin with U+001A and a colon, are in no index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Dialect, Table

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.generics import TableColumn
from chatrecord.sqlalchemy.types import is_mysql

PREFIX = "chatrecord_search"
"""How everything begins that belongs to the index. Behind it is the name of a table."""

SIMPLE = "simple"
"""The language that knows no word: every form is a word of its own."""

ROLES = ("user", "assistant")
"""Whose texts are searched."""

SEPARATORS = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Signs between words. PostgreSQL would take a path, an address or a tag for one word."""

LONGEST_INDEXED = 200_000
"""Characters of a text that PostgreSQL indexes: the words of a longer one may be too many."""

_LANGUAGE = re.compile(r"\w+(\.\w+)?")
_SQLITE_TOKENIZERS = {SIMPLE: "unicode61 remove_diacritics 2"}
_SQLITE_TOKENIZERS["english"] = f"porter {_SQLITE_TOKENIZERS[SIMPLE]}"
_CI = "utf8mb4_unicode_520_ci"


@dataclass(frozen=True)
class SearchTable:
    """A table with a column that is searched, by the names that they have in the database."""

    name: str
    schema: str | None
    key: str
    text: str
    role: str | None = None

    @property
    def index(self) -> str:
        """The name of its index."""
        return f"{PREFIX}_{self.name}"


@dataclass(frozen=True)
class SearchIndex:
    """The index of the titles of chats and of the texts of their messages."""

    dialect: Dialect
    chats: SearchTable
    messages: SearchTable
    language: str = SIMPLE

    def __post_init__(self) -> None:
        if not _LANGUAGE.fullmatch(self.language):
            msg = f"language= is the name of a text search configuration, not {self.language!r}"
            raise ConfigurationError(msg)
        known = self._known_languages
        if known is not None and self.language not in known:
            msg = (
                f"{self.dialect.name} has no search language {self.language!r}: take one of "
                f"{', '.join(known)}"
            )
            raise ConfigurationError(msg)

    @property
    def _known_languages(self) -> Sequence[str] | None:
        if self.dialect.name == "postgresql":
            return None
        return [SIMPLE] if is_mysql(self.dialect) else list(_SQLITE_TOKENIZERS)

    def create(self) -> list[str]:
        """The statements that create it, in their order."""
        if self.dialect.name == "sqlite":
            return list(_sqlite(self))
        return [self.create_on(table) for table in self.tables]

    def create_on(self, table: SearchTable) -> str:
        """The statement that creates the part of a table. SQLite has one index for both."""
        return _mysql(self, table) if is_mysql(self.dialect) else _postgresql(self, table)

    def drop(self) -> list[str]:
        """The statements that drop it."""
        if self.dialect.name == "sqlite":
            return list(_drop_sqlite(self))
        return [self.drop_on(table) for table in self.tables]

    def drop_on(self, table: SearchTable) -> str:
        """The statement that drops the part of a table."""
        if is_mysql(self.dialect):
            return f"ALTER TABLE {self.q(table)} DROP COLUMN {self.quoted(PREFIX)}"
        return f"DROP INDEX CONCURRENTLY IF EXISTS {self.quoted(table.index, table.schema)}"

    def look(self, table: SearchTable) -> tuple[str, dict[str, str | None]]:
        """A query for the part of a table: its definition, and the shortest word in it."""
        if self.dialect.name == "sqlite":
            name = self.messages.index
            query = "SELECT sql, 1 FROM sqlite_master WHERE type = 'table' AND name = :name"
            return query, {"name": name}
        if is_mysql(self.dialect):
            query = (
                "SELECT index_type, @@innodb_ft_min_token_size FROM information_schema.statistics "
                "WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :of "
                "AND index_name = :name"
            )
            return query, {"schema": table.schema, "of": table.name, "name": table.index}
        query = (
            "SELECT pg_get_indexdef(indexrelid), 1 FROM pg_index WHERE indisvalid "
            "AND indexrelid = to_regclass(CAST(:name AS text))"
        )
        return query, {"name": self.quoted(table.index, table.schema)}

    def language_of(self, definition: str) -> str:
        """The language of an index that has this definition."""
        if self.dialect.name == "sqlite":
            return "english" if "porter" in definition else SIMPLE
        found = re.search(r"to_tsvector\('([\w.]+)'::regconfig", definition)
        return found[1] if found else SIMPLE

    @property
    def tables(self) -> tuple[SearchTable, SearchTable]:
        """Both tables, that of the chats first."""
        return self.chats, self.messages

    def quoted(self, name: str, schema: str | None = None) -> str:
        """A name as the database takes it."""
        preparer = self.dialect.identifier_preparer
        quoted: str = preparer.quote(name)
        return f"{preparer.quote_schema(schema)}.{quoted}" if schema else quoted

    def q(self, table: SearchTable) -> str:
        """The name of a table as the database takes it."""
        return self.quoted(table.name, table.schema)


def search_index(
    dialect: Dialect,
    text: TableColumn,
    role: TableColumn,
    title: TableColumn,
    language: str = SIMPLE,
) -> SearchIndex:
    """The index of these columns of messages and chats."""
    return SearchIndex(dialect, _table(title), _table(text, role), language)


def _table(text: TableColumn, role: TableColumn | None = None) -> SearchTable:
    table = text.table
    assert isinstance(table, Table)
    (key,) = table.primary_key.columns
    role_name = None if role is None else role.name
    return SearchTable(table.name, table.schema, key.name, text.name, role_name)


# PostgreSQL


def vector(language: str, column: str) -> str:
    """The words of a column."""
    beginning = f"left({column}, {LONGEST_INDEXED})"
    return f"to_tsvector('{language}'::regconfig, {separated(beginning)})"


def separated(column: str) -> str:
    """A text with spaces instead of signs."""
    signs = SEPARATORS.replace("'", "''")
    return f"translate({column}, '{signs}', '{' ' * len(SEPARATORS)}')"


def is_plain(text: str, role: str | None) -> str:
    """Whether a row is in an index of PostgreSQL."""
    plain = f"left({text}, 2) <> '' AND left({text}, 2) <> chr(26) || ':'"
    return plain if role is None else f"{role} IN {_roles()} AND {plain}"


def _postgresql(index: SearchIndex, table: SearchTable) -> str:
    text = index.quoted(table.text)
    role = None if table.role is None else index.quoted(table.role)
    return (
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index.quoted(table.index)} "
        f"ON {index.q(table)} USING gin ({vector(index.language, text)}) "
        f"WHERE {is_plain(text, role)}"
    )


# MySQL and MariaDB


def _mysql(index: SearchIndex, table: SearchTable) -> str:
    text, column = index.quoted(table.text), index.quoted(PREFIX)
    plain = f"LEFT({text}, 2) NOT IN ('', CONCAT(CHAR(26 USING utf8mb4), ':'))"
    if table.role is not None:
        plain = f"{index.quoted(table.role)} IN {_roles()} AND {plain}"
    return (
        f"ALTER TABLE {index.q(table)} ADD COLUMN {column} LONGTEXT "
        f"CHARACTER SET utf8mb4 COLLATE {_CI} GENERATED ALWAYS AS "
        f"(CASE WHEN {plain} THEN REPLACE({text}, '_', ' ') END) STORED, "
        f"ADD FULLTEXT INDEX {index.quoted(table.index)} ({column})"
    )


# SQLite


def _sqlite(index: SearchIndex) -> Iterator[str]:
    words = index.quoted(index.messages.index)
    rows = index.quoted(f"{index.messages.index}_rows")
    texts = index.quoted(f"{index.messages.index}_texts")
    chats, messages = index.tables
    yield (
        f"CREATE TABLE {rows} (id INTEGER PRIMARY KEY, message_id CHAR(32) UNIQUE, "
        f"chat_id CHAR(32) UNIQUE)"
    )
    yield f"CREATE VIEW {texts} AS " + " UNION ALL ".join(
        f"SELECT {rows}.id AS id, {index.quoted(table.text)} AS text FROM {rows} "
        f"JOIN {index.q(table)} AS said ON said.{index.quoted(table.key)} = {rows}.{of}"
        for table, of in ((messages, "message_id"), (chats, "chat_id"))
    )
    content = _literal(f"{index.messages.index}_texts")
    yield (
        f"CREATE VIRTUAL TABLE {words} USING fts5(text, content={content}, content_rowid='id', "
        f"tokenize={_literal(_SQLITE_TOKENIZERS[index.language])})"
    )
    for table, of in ((messages, "message_id"), (chats, "chat_id")):
        there = _is_searched(index, table, "")
        yield (
            f"INSERT INTO {rows} ({of}) SELECT {index.quoted(table.key)} FROM {index.q(table)} "
            f"WHERE {there}"
        )
    yield f"INSERT INTO {words} ({words}) VALUES ('rebuild')"
    for table, of in ((messages, "message_id"), (chats, "chat_id")):
        yield from _triggers(index, table, words, rows, of)


def _triggers(
    index: SearchIndex, table: SearchTable, words: str, rows: str, of: str
) -> Iterator[str]:
    key, text = index.quoted(table.key), index.quoted(table.text)
    watched = [key, text] if table.role is None else [key, text, index.quoted(table.role)]
    was, will = _is_searched(index, table, "old."), _is_searched(index, table, "new.")
    out = (
        f"INSERT INTO {words} ({words}, rowid, text) SELECT 'delete', id, old.{text} FROM {rows} "
        f"WHERE {of} = old.{key} AND {was}; DELETE FROM {rows} WHERE {of} = old.{key};"
    )
    into = (
        f"INSERT INTO {rows} ({of}) SELECT new.{key} WHERE {will}; INSERT INTO {words} "
        f"(rowid, text) SELECT id, new.{text} FROM {rows} WHERE {of} = new.{key} AND {will};"
    )
    differs = " OR ".join(f"old.{name} IS NOT new.{name}" for name in watched)
    name, on = table.index, index.q(table)
    yield (
        f"CREATE TRIGGER {index.quoted(f'{name}_insert')} AFTER INSERT ON {on} "
        f"WHEN {will} BEGIN {into} END"
    )
    yield (
        f"CREATE TRIGGER {index.quoted(f'{name}_update')} AFTER UPDATE OF {', '.join(watched)} "
        f"ON {on} WHEN {differs} BEGIN {out} {into} END"
    )
    yield (
        f"CREATE TRIGGER {index.quoted(f'{name}_delete')} AFTER DELETE ON {on} "
        f"WHEN {was} BEGIN {out} END"
    )


def _is_searched(index: SearchIndex, table: SearchTable, row: str) -> str:
    text = f"{row}{index.quoted(table.text)}"
    plain = f"substr({text}, 1, 2) NOT IN ('', char(26) || ':')"
    if table.role is None:
        return plain
    return f"{row}{index.quoted(table.role)} IN {_roles()} AND {plain}"


def _drop_sqlite(index: SearchIndex) -> Iterator[str]:
    for table in index.tables:
        for moment in ("insert", "update", "delete"):
            yield f"DROP TRIGGER IF EXISTS {index.quoted(f'{table.index}_{moment}')}"
    name = index.messages.index
    yield f"DROP TABLE IF EXISTS {index.quoted(name)}"
    yield f"DROP VIEW IF EXISTS {index.quoted(f'{name}_texts')}"
    yield f"DROP TABLE IF EXISTS {index.quoted(f'{name}_rows')}"


def _roles() -> str:
    return f"({', '.join(_literal(role) for role in ROLES)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
