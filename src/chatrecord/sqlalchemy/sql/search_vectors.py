"""The SQL of the search by meaning: a table of pgvector's vectors beside the messages.

It has no foreign key, which would be in the way of those who empty or drop tables of their own.
Triggers delete the vector of a text that goes or changes. They do so as the role that has created
them, so that who may delete messages needs no rights on the vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    UUID,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Update,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.types import UserDefinedType

from chatrecord.sqlalchemy.generics import Expression, Query
from chatrecord.store.chat_store import Scope
from chatrecord.store.search_store import VectorKind

from .search_index import PREFIX, ROLES, SearchTable
from .statements import Statements

CLAIM = "interval '5 minutes'"
"""For how long nobody else embeds a text: longer than a request takes."""

KIND = (
    "SELECT a.atttypmod AS dimensions, pg_get_expr(d.adbin, d.adrelid) AS model "
    "FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid "
    "WHERE a.attrelid = to_regclass(CAST(:name AS text)) AND a.attname = 'vector'"
)
"""The length of the vectors, and the default of their model."""

SCHEMA = (
    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.oid = to_regclass(CAST(:name AS text))"
)
"""Where the table of messages is."""

VERSION = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"

SETTINGS = (
    "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), "
    "set_config('hnsw.ef_search', '100', true)"
)
"""An index that finds too few rows within the conditions goes on."""


class _PgVector(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "vector"


@dataclass(frozen=True)
class VectorTable:
    """The names of the table of vectors, and the statements that create and drop it."""

    dialect: Dialect
    messages: SearchTable

    @property
    def name(self) -> str:
        """The name of the table, in the schema of the messages."""
        return f"{PREFIX}_vectors_{self.messages.name}"

    def create(self, kind: VectorKind, schema: str) -> Iterator[str]:
        """The statements that create it in a schema."""
        vectors = self.quoted(self.name, schema)
        messages = self.quoted(self.messages.name, schema)
        model = kind.model.replace("'", "''")
        yield (
            f"CREATE TABLE {vectors} (message_id uuid PRIMARY KEY, chat_id uuid NOT NULL, "
            f"model text NOT NULL DEFAULT '{model}', claim uuid, claimed_until timestamptz, "
            f"vector vector({kind.dimensions}))"
        )
        yield (
            f"CREATE INDEX {self.quoted(self._hnsw)} ON {vectors} "
            f"USING hnsw (vector vector_cosine_ops)"
        )
        function = self.quoted(self._function, schema)
        key, text = self.quoted(self.messages.key), self.quoted(self.messages.text)
        role = self.quoted(self.messages.role or "role")
        yield (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
            f"SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN "
            f"IF TG_OP = 'TRUNCATE' THEN DELETE FROM {vectors}; "
            f"ELSE DELETE FROM {vectors} WHERE message_id = OLD.{key}; END IF; "
            f"RETURN NULL; END $$"
        )
        moments = {
            "delete": "DELETE ON {on} FOR EACH ROW",
            "truncate": "TRUNCATE ON {on} FOR EACH STATEMENT",
            "update": f"UPDATE OF {text}, {role} ON {{on}} FOR EACH ROW WHEN (OLD.{text} <> '' "
            f"AND (OLD.{text} IS DISTINCT FROM NEW.{text} "
            f"OR OLD.{role} IS DISTINCT FROM NEW.{role}))",
        }
        for moment, what in moments.items():
            yield (
                f"CREATE TRIGGER {self.quoted(f'{PREFIX}_vectors_{moment}')} "
                f"AFTER {what.format(on=messages)} EXECUTE FUNCTION {function}()"
            )

    def drop(self, schema: str) -> Iterator[str]:
        """The statements that drop it, if it is there."""
        yield f"DROP FUNCTION IF EXISTS {self.quoted(self._function, schema)}() CASCADE"
        yield f"DROP TABLE IF EXISTS {self.quoted(self.name, schema)}"

    @property
    def path(self) -> str:
        """The table, as it is found."""
        return self.quoted(self.name, self.messages.schema)

    @property
    def path_of_messages(self) -> str:
        """The table of messages, as it is found."""
        return self.quoted(self.messages.name, self.messages.schema)

    @property
    def _hnsw(self) -> str:
        return f"{PREFIX}_hnsw_{self.messages.name}"

    @property
    def _function(self) -> str:
        return f"{PREFIX}_forget_{self.messages.name}"

    def quoted(self, name: str, schema: str | None = None) -> str:
        """A name as the database takes it."""
        preparer = self.dialect.identifier_preparer
        quoted: str = preparer.quote(name)
        return f"{preparer.quote_schema(schema)}.{quoted}" if schema else quoted


def model_of(default: str) -> str:
    """The model that a default of the column names."""
    return default.removesuffix("::text")[1:-1].replace("''", "'")


class VectorStatements:
    """The statements that read and write vectors."""

    def __init__(self, sql: Statements, name: str, schema: str | None) -> None:
        self._sql = sql
        self._vectors = Table(
            name,
            MetaData(),
            Column("message_id", sql.message.id.type, primary_key=True),
            Column("chat_id", sql.message.chat_id.type),
            Column("claim", UUID),
            Column("claimed_until", DateTime(timezone=True)),
            Column("vector", _PgVector),
            schema=schema,
        )

    @cached_property
    def unclaimed(self) -> Query:
        """The newest texts without a vector, and not claimed. Who changes one waits."""
        message, chat, vectors = self._sql.message, self._sql.chat, self._vectors.c
        taken = exists().where(
            vectors.message_id == message.id,
            or_(vectors.vector.is_not(None), vectors.claimed_until > func.now()),
        )
        text = func.left(message.text, bindparam("longest", type_=Integer), type_=message.text.type)
        return (
            select(message.id.label("id"), message.chat_id.label("chat_id"), text.label("text"))
            .join(chat.table, chat.id == message.chat_id)
            .where(*self._searched(), *self._sql.kept(), ~taken)
            .order_by(message.id.desc())
            .limit(bindparam("most", type_=Integer))
            .with_for_update(read=True, skip_locked=True, of=message.table)
        )

    @cached_property
    def claim(self) -> Insert:
        """Claim a text that has no vector."""
        until = func.now() + literal_column(CLAIM)
        rows = insert(self._vectors).values(
            message_id=bindparam("id"),
            chat_id=bindparam("chat_id"),
            claim=bindparam("claim"),
            claimed_until=until,
        )
        changed = {"claim": rows.excluded.claim, "claimed_until": rows.excluded.claimed_until}
        return rows.on_conflict_do_update(index_elements=["message_id"], set_=changed)

    @cached_property
    def store(self) -> Update:
        """Store the vector of a text, if its claim has not gone."""
        return (
            update(self._vectors)
            .where(
                self._vectors.c.message_id == bindparam("id"),
                self._vectors.c.claim == bindparam("of_claim"),
            )
            .values(vector=_given(), claim=null(), claimed_until=null())
        )

    def nearest(self, scope: Scope, *, superseded: bool, is_after: bool) -> Query:
        """The closest texts within the scope, the closest first.

        Within a scope all of its texts are compared: an index would be asked for the closest texts
        of all owners, and might have found too few of this one when it gives up.
        """
        message, chat, vectors = self._sql.message, self._sql.chat, self._vectors.c
        distance = vectors.vector.op("<=>", return_type=Float())(_given())
        fitting = [*self._sql.within(scope), *self._sql.kept(), vectors.vector.is_not(None)]
        if not superseded:
            fitting.append(message.status != "superseded")
        within = (
            select(message.id.label("id"), distance.label("distance"))
            .join(chat.table, chat.id == message.chat_id)
            .join(self._vectors, vectors.message_id == message.id)
            .where(*fitting)
        )
        most = bindparam("most", type_=Integer)
        if scope:
            compared = within.cte("within").prefix_with("MATERIALIZED", dialect="postgresql")
            within = select(compared.c.id, compared.c.distance).order_by(compared.c.distance)
        else:
            within = within.order_by(distance)
        near = within.limit(most).cte("near").prefix_with("MATERIALIZED", dialect="postgresql")
        return self._page(near.c.id, _rank(near.c.distance), is_after=is_after)

    def _page(self, key: Expression, rank: Expression, *, is_after: bool) -> Query:
        message, chat = self._sql.message, self._sql.chat
        text = func.left(message.text, bindparam("longest", type_=Integer), type_=message.text.type)
        # A vector of zeros has no direction: its rank is no number, and greater than all.
        conditions: list[ColumnElement[bool]] = [rank <= 1]
        if is_after:
            last, last_id = bindparam("rank", type_=Float), bindparam("last_id", type_=key.type)
            conditions.append(or_(rank < last, and_(rank == last, key < last_id)))
        return (
            select(
                message.id.label("message_id"),
                message.chat_id.label("chat_id"),
                message.seq.label("seq"),
                message.role.label("role"),
                message.created_at.label("created_at"),
                text.label("text"),
                chat.title.label("title"),
                rank.label("rank"),
            )
            .join(chat.table, chat.id == message.chat_id)
            .join_from(message.table, key.table, message.id == key)
            .where(*conditions)
            .order_by(rank.desc(), message.id.desc())
            .limit(bindparam("limit", type_=Integer))
        )

    def _searched(self) -> Iterator[ColumnElement[bool]]:
        """Texts of users and models that are not encrypted, with more than spaces in them."""
        message = self._sql.message
        yield message.role.in_([literal_column(f"'{role}'") for role in ROLES])
        yield func.left(message.text, literal_column("2")) != literal_column("chr(26) || ':'")
        yield message.text.op("~", is_comparison=True)(literal_column(r"'\S'"))


def _given() -> Expression:
    return cast(bindparam("vector", type_=String), _PgVector)


def _rank(distance: Expression) -> Expression:
    """Rounded: a provider's vectors of the same query differ in the last digits."""
    rounded = func.round(literal_column("1") - cast(distance, Numeric), literal_column("6"))
    return cast(rounded, Float(53))
