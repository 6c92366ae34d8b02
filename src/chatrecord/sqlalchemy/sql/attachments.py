"""The SQL of attachments: written once per chat and content, read by their hashes, page by page."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import (
    BindParameter,
    Delete,
    Integer,
    LargeBinary,
    Update,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    type_coerce,
    update,
)

from chatrecord.sqlalchemy.generics import Query
from chatrecord.sqlalchemy.models.encryption import HEAD

from .statements import Statements
from .tables import MappedTable


class AttachmentStatements:
    """The statements for the attachments of one set of models."""

    def __init__(self, sql: Statements, table: MappedTable) -> None:
        self._chat = sql.chat
        self._table = table

    @cached_property
    def chat(self) -> Query:
        """The chat, if it is there."""
        return select(self._chat.id).where(self._chat.id == bindparam("chat_id"))

    @cached_property
    def known(self) -> Query:
        """Which of these files the chat has, and since when they are where they belong."""
        table = self._table
        return select(table.hash.label("hash"), table.stored_at.label("stored_at")).where(
            *self._these
        )

    @cached_property
    def found(self) -> Query:
        """These files of a chat."""
        return self._table.select().where(*self._these)

    @cached_property
    def hashes(self) -> Query:
        """The hashes of all files of a chat, oldest first."""
        table = self._table
        of_chat = table.chat_id == bindparam("chat_id")
        return select(table.hash).where(of_chat).order_by(table.id)

    @cached_property
    def is_stored(self) -> Update:
        """A file is now in its store. No row matches if its chat was deleted."""
        table = self._table
        this = table.chat_id == bindparam("of_chat"), table.hash == bindparam("of_hash")
        return update(table.table).where(*this).values({table.stored_at: bindparam("now")})

    @cached_property
    def forget(self) -> Delete:
        """One file."""
        table = self._table
        this = table.chat_id == bindparam("of_chat"), table.hash == bindparam("of_hash")
        return delete(table.table).where(*this)

    @cached_property
    def lock_chats(self) -> Query:
        """Lock these chats, so that no file is added: a new file refers to its chat."""
        these = self._chat.id.in_(self._chat_ids)
        return select(self._chat.id).where(these).order_by(self._chat.id).with_for_update()

    @cached_property
    def outside(self) -> Query:
        """The files of these chats whose bytes are, or may be, in a store of the user's."""
        table = self._table
        these = table.chat_id.in_(self._chat_ids), table.data.is_(None)
        names = ("chat_id", "hash", "data", "stored_at")
        columns = [table.columns[name].label(name) for name in names]
        return select(*columns).where(*these).with_for_update()

    @cached_property
    def erase(self) -> Delete:
        """All files of these chats."""
        return delete(self._table.table).where(self._table.chat_id.in_(self._chat_ids))

    @cached_property
    def heads(self) -> Query:
        """The next files by their ids, with what their bytes begin with."""
        table = self._table
        raw = func.substr(type_coerce(table.data, LargeBinary()), 1, HEAD, type_=LargeBinary())
        return (
            select(
                table.id.label("id"),
                table.chat_id.label("chat_id"),
                table.hash.label("hash"),
                table.stored_at.label("stored_at"),
                raw.label("head"),
            )
            .where(table.id > bindparam("after"), table.stored_at.is_not(None))
            .order_by(table.id)
            .limit(bindparam("limit", type_=Integer))
        )

    @cached_property
    def data(self) -> Query:
        """The bytes of a file as they are stored."""
        return select(self._table.data).where(self._table.id == bindparam("row_id"))

    @cached_property
    def _these(self) -> tuple[Any, ...]:
        hashes = bindparam("hashes", expanding=True, type_=self._table.hash.type)
        return self._table.chat_id == bindparam("chat_id"), self._table.hash.in_(hashes)

    @cached_property
    def _chat_ids(self) -> BindParameter[Any]:
        return bindparam("chat_ids", expanding=True, type_=self._chat.id.type)


LARGEST_PACKET = select(literal_column("@@max_allowed_packet", Integer))
"""Bytes of a statement that MySQL or MariaDB takes."""
