"""The branches of a chat: which of its messages are current, and what is copied of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sqlalchemy import Insert, Integer, Update, bindparam, insert, select, update

from chatrecord.sqlalchemy.generics import Query

from .tables import MappedTable, Tables


class BranchStatements(Tables):
    """The branches of a chat."""

    @cached_property
    def message_heads(self) -> Query:
        """All messages of a chat that have a number, without what they say."""
        names = ("id", "seq", "run_id", "role", "status")
        columns = [self.message.columns[name].label(name) for name in names]
        of_chat = self.message.chat_id == bindparam("chat_id")
        return select(*columns).where(of_chat, self.message.seq >= 0).order_by(self.message.seq)

    @cached_property
    def run_heads(self) -> Query:
        """All runs of a chat, without their instructions."""
        names = ("id", "status", "error", "settings", "epoch")
        columns = [self.run.columns[name].label(name) for name in names]
        return select(*columns).where(self.run.chat_id == bindparam("chat_id"))

    @cached_property
    def note_restored(self) -> Update:
        """Note what was restored, unless the chat has new messages by now. Locks its row."""
        this = (
            self.chat.id == bindparam("row_id"),
            self.chat.next_seq == bindparam("still_next", type_=Integer),
        )
        values = {self.chat.restored: bindparam("new_restored", type_=self.chat.restored.type)}
        return update(self.chat.table).where(*this).values(values)

    @cached_property
    def supersede_summaries(self) -> Update:
        """Replace the summaries of messages from the number `first` on."""
        these = (
            self.message.chat_id == bindparam("of_chat"),
            self.message.seq <= -bindparam("first", type_=Integer),
        )
        return update(self.message.table).where(*these).values({self.message.status: "superseded"})

    def some_of_chat(self, mapped: MappedTable, by: str = "id") -> Query:
        """Rows of a chat, found by these ids or by those that they refer to."""
        ids = bindparam("ids", expanding=True, type_=mapped.id.type)
        of_chat = mapped.chat_id == bindparam("chat_id")
        return mapped.select().where(of_chat, mapped.columns[by].in_(ids)).order_by(mapped.id)

    @cached_property
    def copy_file(self) -> Insert:
        """A file of one chat for another one, without reading its bytes."""
        table = self.attachment
        assert table is not None
        given: dict[str, Any] = {
            "id": bindparam("new_id", type_=table.id.type),
            "chat_id": bindparam("to_chat", type_=table.chat_id.type),
        }
        names = list(table.columns)
        of_source = table.chat_id == bindparam("of_chat"), table.hash == bindparam("of_hash")
        copied = [given.get(name, table.columns[name]) for name in names]
        return insert(table.table).from_select(
            [table.columns[name] for name in names], select(*copied).where(*of_source)
        )
