"""Chats whose owner is a column of each type, and tables made with collations that mix owners up."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    Unicode,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from chatrecord.sqlalchemy import ChatMixin, ChunkMixin, MessageMixin, RequestMixin, RunMixin
from chatrecord.sqlalchemy.types import Key


class Team(enum.Enum):
    RED = 1
    BLUE = 2


class Tag(TypeDecorator[str]):
    """Text with a mark before it."""

    impl = String(100)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else f"tag:{value}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.removeprefix("tag:")


class Careless(TypeDecorator[str]):
    """Hands on whatever it is given."""

    impl = String(100)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value


class Spelled(UserDefinedType[Any]):
    """A type of an application's own, of which only its SQL is known."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        return self.spec


class Wrapped(TypeDecorator[Any]):
    """The same, inside another type."""

    impl = Spelled
    cache_ok = True


class Base(DeclarativeBase):
    """A team's base."""


class Person(Base):
    __tablename__ = "scoped_people"
    id: Mapped[int] = mapped_column(primary_key=True)


class Chat(ChatMixin, Base):
    __tablename__ = "scoped_chats"
    owner: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(Text)
    wide: Mapped[str | None] = mapped_column(Unicode(100))
    exact: Mapped[str | None] = mapped_column(Key)
    tag: Mapped[str | None] = mapped_column(Tag)
    careless: Mapped[str | None] = mapped_column(Careless)
    team: Mapped[Team | None] = mapped_column(Enum(Team))
    level: Mapped[str | None] = mapped_column(Enum("low", "high", native_enum=False, length=20))
    number: Mapped[int | None] = mapped_column(Integer)
    large: Mapped[int | None] = mapped_column(BigInteger)
    person: Mapped[int | None] = mapped_column(ForeignKey("scoped_people.id"))
    is_open: Mapped[bool | None]
    share: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    due: Mapped[date | None]
    at: Mapped[datetime | None]
    key: Mapped[UUID | None] = mapped_column(Uuid)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary(100))
    tags: Mapped[list[Any] | None] = mapped_column(JSON)


Index("ix_scoped_chats_owner", Chat.owner, Chat.updated_at, Chat.id)


class Run(RunMixin, Base):
    __tablename__ = "scoped_runs"


class Message(MessageMixin, Base):
    __tablename__ = "scoped_messages"


class Request(RequestMixin, Base):
    __tablename__ = "scoped_requests"


class Chunk(ChunkMixin, Base):
    __tablename__ = "scoped_chunks"


def base_with(kind: TypeEngine[Any], prefix: str) -> type[DeclarativeBase]:
    """Tables whose chats have an owner of this type."""

    class Own(DeclarativeBase):
        """One of its own for each type."""

        kept: ClassVar[tuple[type, ...]]

    class OwnChat(ChatMixin, Own):
        __tablename__ = f"{prefix}_chats"
        owner: Mapped[Any] = mapped_column(kind)

    class _Run(RunMixin, Own):
        __tablename__ = f"{prefix}_runs"

    class _Message(MessageMixin, Own):
        __tablename__ = f"{prefix}_messages"

    class _Request(RequestMixin, Own):
        __tablename__ = f"{prefix}_requests"

    class _Chunk(ChunkMixin, Own):
        __tablename__ = f"{prefix}_chunks"

    Own.kept = (OwnChat, _Run, _Message, _Request, _Chunk)  # or the collector takes them
    return Own


CARELESS_TEXTS: dict[str, TypeEngine[Any]] = {
    "string": String(100),
    "mixed": String(100)
    .with_variant(String(100, collation="NOCASE"), "sqlite")
    .with_variant(postgresql.CITEXT(), "postgresql")
    .with_variant(mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_unicode_ci"), "mysql")
    .with_variant(mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_unicode_ci"), "mariadb"),
    "padded": String(100)
    .with_variant(String(100, collation="RTRIM"), "sqlite")
    .with_variant(String(100, collation="ignoring_case"), "postgresql")
    .with_variant(mysql.VARCHAR(100, charset="latin1", collation="latin1_swedish_ci"), "mysql")
    .with_variant(mysql.VARCHAR(100, charset="latin1", collation="latin1_swedish_ci"), "mariadb"),
    "binary": String(100)
    .with_variant(mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_bin"), "mysql")
    .with_variant(mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_bin"), "mariadb"),
}
"""Types of text that databases compare without minding case, accents or trailing spaces."""

UNKNOWN_TYPES: dict[str, dict[str, tuple[TypeEngine[Any], Any]]] = {
    "sqlite": {
        "text": (Spelled("VARCHAR(50) COLLATE NOCASE"), "Bob"),
        "wrapped": (Wrapped("VARCHAR(50) COLLATE NOCASE"), "Bob"),
        "variant": (String(50).with_variant(Spelled("TEXT COLLATE NOCASE"), "sqlite"), "Bob"),
        "number": (Spelled("INTEGER"), 7),
    },
    "postgresql": {
        "text": (Spelled("CITEXT"), "Bob"),
        "wrapped": (Wrapped("CITEXT"), "Bob"),
        "domain": (postgresql.DOMAIN("spelled_ci", Spelled("CITEXT")), "Bob"),
        "network": (postgresql.INET(), "10.0.0.1"),
    },
    "mysql": {
        "text": (Spelled("VARCHAR(50)"), "Bob"),
        "wrapped": (Wrapped("VARCHAR(50)"), "Bob"),
        "year": (mysql.YEAR(), 2024),
        "bits": (mysql.BIT(8), 7),
    },
}
"""Of each database types of which nobody can say how it compares them, and a value."""

PREPARATIONS = {
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS citext",
        """CREATE COLLATION IF NOT EXISTS ignoring_case
           (provider = icu, locale = 'und-u-ks-level2', deterministic = false)""",
    )
}
"""What the types need to be there first."""
