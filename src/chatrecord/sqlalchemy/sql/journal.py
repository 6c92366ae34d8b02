"""The journal of live answers."""

from __future__ import annotations

from functools import cached_property, lru_cache

from sqlalchemy import (
    Delete,
    Insert,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
)

from chatrecord.sqlalchemy.generics import Query

from .tables import Tables


class JournalStatements(Tables):
    """The journal of live answers."""

    @cached_property
    def journal_of_chat(self) -> Query:
        """All pieces of the messages of a chat that are still streaming."""
        messages = select(self.message.id).where(self.message.chat_id == bindparam("chat_id"))
        of_chat = self.chunk.message_id.in_(messages)
        return self.chunk.select().where(of_chat).order_by(self.chunk.message_id, self.chunk.seq)

    @cached_property
    def journal_of_run(self) -> Query:
        """All pieces of the messages of a run that are still streaming."""
        streaming = select(self.message.id).where(
            self.message.run_id == bindparam("run_id"), self.message.status == "streaming"
        )
        return (
            self.chunk.select()
            .where(self.chunk.message_id.in_(streaming))
            .order_by(self.chunk.message_id, self.chunk.seq)
        )

    @cached_property
    def append_journal(self) -> Insert:
        """Pieces of answers that are still streaming."""
        return self.chunk.insert("message_id", "seq", "payload")

    @cached_property
    def journal(self) -> Query:
        """The pieces of a message after the number `after`."""
        return (
            self.chunk.select()
            .where(
                self.chunk.message_id == bindparam("message_id"),
                self.chunk.seq > bindparam("after", type_=Integer),
            )
            .order_by(self.chunk.seq)
        )

    @lru_cache(maxsize=64)  # noqa: B019 - lives as long as its database
    def journal_since(self, messages: int) -> Query:
        """The chunks of several messages, each after its own position."""
        pieces, kind = self.chunk, self.chunk.message_id.type
        each = [
            and_(
                pieces.message_id == bindparam(f"message_{place}", type_=kind),
                pieces.seq > bindparam(f"after_{place}", type_=Integer),
            )
            for place in range(messages)
        ]
        return pieces.select().where(or_(*each)).order_by(pieces.message_id, pieces.seq)

    @cached_property
    def orphaned(self) -> Query:
        """Messages that are not there although the journal has pieces of them."""
        is_there = exists().where(self.message.id == self.chunk.message_id)
        return select(self.chunk.message_id).where(~is_there).distinct()

    @cached_property
    def empty_journal(self) -> Delete:
        """The pieces of a message that is whole now, or gone."""
        return delete(self.chunk.table).where(self.chunk.message_id == bindparam("of_message"))
