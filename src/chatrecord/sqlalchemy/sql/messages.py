"""Messages: opened, found, replaced."""

from __future__ import annotations

from functools import cached_property, lru_cache

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Update,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Named, Query

from .json_text import json_text
from .row_version import row_version
from .tables import MESSAGE_COLUMNS, MappedTable, Tables

_OF_THE_VERSION = ("id", "run_id", "role", "status", "text", "reasoning", "content", "format")
"""What a history is made of. The other columns of a message are written with these."""


class MessageStatements(Tables):
    """Messages: opened, found, replaced."""

    @lru_cache(maxsize=2)  # noqa: B019 - lives as long as its database
    def insert_opening(self, *names: str) -> Insert:
        """The prompt and the answer to it, numbered below the chat's next number."""
        taken = (
            select(self.chat.next_seq - bindparam("behind", type_=Integer))
            .where(self.chat.id == bindparam("of_chat", type_=self.chat.id.type))
            .scalar_subquery()
        )
        return self.message.insert(*names).values({self.message.seq: taken})

    @cached_property
    def _past(self) -> list[Named]:
        """The columns of a message of the history in their order, and last its content as text."""
        content = json_text(self.message.content).label("content")
        names = [name for name in MESSAGE_COLUMNS if name != "content"]
        return [*(self.message.columns[name].label(name) for name in names), content]

    @cached_property
    def history_before(self) -> Query:
        """The last messages that count between the numbers `after` and `before`, newest first."""
        below = self.message.seq < bindparam("before", type_=Integer)
        above = self.message.seq > bindparam("after", type_=Integer)
        page = self._newest(self.message.status != "superseded", below, above)
        return page.with_only_columns(*self._past)

    @cached_property
    def versions_before(self) -> Query:
        """The numbers of the same messages, each with the version of its row."""
        return self.history_before.with_only_columns(self.message.seq, self._version)

    @cached_property
    def history_with_versions(self) -> Query:
        """The same messages, each behind the version of its row."""
        return self.history_before.with_only_columns(self._version, *self._past)

    @cached_property
    def _version(self) -> Named:
        made_of = [self.message.columns[name] for name in _OF_THE_VERSION]
        return row_version(made_of).label("version")

    @cached_property
    def last_summary(self) -> Query:
        """The summary that covers most, of those that cover nothing from the number `before` on.

        The number of a summary is that of the last message that it covers, negated.
        """
        return (
            select(*self._past)
            .where(
                self.message.chat_id == bindparam("chat_id"),
                self.message.seq < 0,
                self.message.seq > -bindparam("before", type_=Integer),
                self.message.status == "complete",
            )
            .order_by(self.message.seq)
            .limit(1)
        )

    @cached_property
    def summaries(self) -> Query:
        """Every summary of a chat, oldest first."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        page = self.message.select().where(of_chat, self.message.seq < 0)
        return page.order_by(self.message.seq.desc())

    @cached_property
    def supersede(self) -> Update:
        """Replace the messages from the number `first` and below `below`, and their summaries."""
        first = bindparam("first", type_=Integer)
        these = and_(
            self.message.seq >= first, self.message.seq < bindparam("below", type_=Integer)
        )
        return (
            update(self.message.table)
            .where(
                self.message.chat_id == bindparam("of_chat"),
                or_(these, self.message.seq <= -first),
            )
            .values({self.message.status: "superseded"})
        )

    @cached_property
    def get_message(self) -> Query:
        """A message of a chat."""
        return self.message.select().where(
            self.message.id == bindparam("message_id"),
            self.message.chat_id == bindparam("chat_id"),
        )

    @cached_property
    def first_messages(self) -> Query:
        """The first valid messages, oldest first."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        standing = self.message.status != "superseded"
        page = self.message.select().where(of_chat, self.message.seq >= 0, standing)
        return page.order_by(self.message.seq).limit(bindparam("limit", type_=Integer))

    @cached_property
    def last_prompt(self) -> Query:
        """The last valid message of the user."""
        return self._newest(self.message.role == "user", self.message.status != "superseded")

    @cached_property
    def history_from(self) -> Query:
        """Every message that counts from the number `first` on, below `before`, newest first."""
        return (
            select(*self._past)
            .where(
                self.message.chat_id == bindparam("chat_id"),
                self.message.status != "superseded",
                self.message.seq >= bindparam("first", type_=Integer),
                self.message.seq < bindparam("before", type_=Integer),
            )
            .order_by(self.message.seq.desc())
        )

    @cached_property
    def round_start(self) -> Query:
        """The number of the last message of the user before the number `before`."""
        return (
            select(self.message.seq)
            .where(
                self.message.chat_id == bindparam("chat_id"),
                self.message.seq < bindparam("before", type_=Integer),
                self.message.role == "user",
                self.message.status != "superseded",
            )
            .order_by(self.message.seq.desc())
            .limit(1)
        )

    @cached_property
    def last_messages(self) -> Query:
        """The last messages of a chat, superseded ones too, newest first."""
        return self._newest(self.message.seq >= 0)

    @cached_property
    def last_run_id(self) -> Query:
        """The run that has written the last message of a chat, be it superseded."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        numbered = select(self.message.run_id).where(of_chat)
        return numbered.order_by(self.message.seq.desc()).limit(1)

    @cached_property
    def messages_before(self) -> Query:
        """The last messages below the number `before`, newest first."""
        below = self.message.seq < bindparam("before", type_=Integer)
        return self._newest(below, self.message.seq >= 0)

    def _newest(self, *conditions: ColumnElement[bool]) -> Query:
        return (
            self.message.select()
            .where(and_(self.message.chat_id == bindparam("chat_id"), *conditions))
            .order_by(self.message.seq.desc())
            .limit(bindparam("limit", type_=Integer))
        )

    @cached_property
    def messages_of_chat(self) -> Query:
        """The messages of a chat, superseded ones too, in their order."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        return self.message.select().where(of_chat).order_by(self.message.seq)

    @cached_property
    def messages_of_run(self) -> Query:
        """The messages of one run, in their order."""
        of_run = self.message.run_id == bindparam("run_id")
        return self.message.select().where(of_run).order_by(self.message.seq)

    def of_runs(self, mapped: MappedTable) -> Query:
        """The tool calls or requests of some runs, whose ids are all later than the first's."""
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        of_runs = and_(
            mapped.chat_id == bindparam("chat_id"),
            mapped.id > bindparam("oldest", type_=mapped.id.type),
            mapped.run_id.in_(ids),
        )
        return mapped.select().where(of_runs).order_by(mapped.id)

    def of_run(self, mapped: MappedTable) -> Query:
        """The tool calls or requests of one run, whose ids are all later than its own."""
        of_run = and_(
            mapped.chat_id == bindparam("chat_id"),
            mapped.id > bindparam("run_id", type_=mapped.id.type),
            mapped.run_id == bindparam("run_id", type_=mapped.id.type),
        )
        return mapped.select().where(of_run).order_by(mapped.id)
