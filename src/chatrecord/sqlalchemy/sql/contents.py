"""The SQL that reads what only Python can look into: contents, results, settings, files."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import (
    Integer,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
)

from chatrecord.sqlalchemy.generics import Expression, Query

from .statements import Statements
from .tables import MappedTable


class Contents:
    """The rows whose content has to be read, page by page, since SQL cannot look into it."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql

    @cached_property
    def places(self) -> Query:
        """The next messages in the order of their chats and numbers."""
        message = self._sql.message
        chat_id = bindparam("chat_id", type_=message.chat_id.type)
        later = message.seq > bindparam("seq", type_=Integer)
        # Not as a comparison of pairs: MariaDB reads the whole index for one.
        following = and_(message.chat_id >= chat_id, or_(message.chat_id > chat_id, later))
        columns = [message.columns[name].label(name) for name in ("id", "chat_id", "seq")]
        page = select(*columns).where(following).order_by(message.chat_id, message.seq)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def messages(self) -> Query:
        """These messages."""
        return self._messages().where(self._sql.message.id.in_(self._ids(self._sql.message)))

    @cached_property
    def messages_of_chat(self) -> Query:
        """All messages of a chat."""
        return self._messages().where(self._sql.message.chat_id == bindparam("chat_id"))

    def _messages(self) -> Query:
        message, run = self._sql.message, self._sql.run
        names = ("id", "chat_id", "run_id", "seq", "role", "status", "text", "content")
        columns = [message.columns[name].label(name) for name in names]
        is_live = exists(literal(1)).where(
            run.id == message.run_id, run.active_chat_id.is_not(None)
        )
        return select(*columns, is_live.label("is_live")).order_by(message.chat_id, message.seq)

    def ids(self, rows: MappedTable) -> Query:
        """The next rows by their ids."""
        page = select(rows.id.label("id"), rows.chat_id.label("chat_id"))
        after = rows.id > bindparam("after", type_=rows.id.type)
        return page.where(after).order_by(rows.id).limit(bindparam("limit", type_=Integer))

    def these(self, rows: MappedTable, *names: str) -> Query:
        """These columns of these rows."""
        columns = [rows.columns[name].label(name) for name in ("id", "chat_id", *names)]
        return select(*columns).where(rows.id.in_(self._ids(rows)))

    @cached_property
    def files(self) -> Query:
        """Which of these files their chats have."""
        file = self._sql.attachment
        assert file is not None
        hashes = bindparam("hashes", expanding=True, type_=file.hash.type)
        chats = bindparam("chat_ids", expanding=True, type_=file.chat_id.type)
        return select(file.chat_id, file.hash).where(file.chat_id.in_(chats), file.hash.in_(hashes))

    @cached_property
    def standing_from(self) -> Query:
        """The messages of a chat from the number `first` on that have not been replaced."""
        message = self._sql.message
        return select(message.id, message.run_id, message.seq).where(
            message.chat_id == bindparam("chat_id"),
            message.seq >= bindparam("first", type_=Integer),
            message.status != "superseded",
        )

    @cached_property
    def has_number(self) -> Query:
        """A message of this number in a chat."""
        message = self._sql.message
        of_chat = message.chat_id == bindparam("chat_id")
        return select(message.id).where(of_chat, message.seq == bindparam("first", type_=Integer))

    @staticmethod
    def _ids(rows: MappedTable) -> Expression:
        return bindparam("ids", expanding=True, type_=rows.id.type)
