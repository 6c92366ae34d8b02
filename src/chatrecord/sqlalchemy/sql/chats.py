"""Chats: found, listed, numbered, named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Update,
    bindparam,
    or_,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Query, UpdateReturning
from chatrecord.store.chat_store import Scope

from .exact import equals
from .tables import Tables


class ChatStatements(Tables):
    """Chats: found, listed, numbered, named."""

    def get_chat(self, scope: Scope, *, hidden: bool | None = False) -> Query:
        """One chat by `chat_id`, if it is within the scope. `None` is a deleted one, too."""
        wanted = [self.chat.id == bindparam("chat_id"), *self.within(scope)]
        return self.chat.select().where(*wanted, *self.kept(hidden=hidden))

    def kept(self, *, hidden: bool | None = False) -> list[ColumnElement[bool]]:
        """What a chat has that was not deleted, or that was deleted and is kept for a time."""
        deleted_at = self.chat.columns.get("deleted_at")
        if deleted_at is None or hidden is None:
            return []
        return [deleted_at.is_not(None) if hidden else deleted_at.is_(None)]

    def move_chat(self, scope: Scope, *, hide: bool) -> Update:
        """Hide a chat that is not hidden, or show one that is."""
        here = [*self.within(scope), *self.kept(hidden=not hide)]
        return self.chat.update("deleted_at").where(*here)

    def hidden_chats(self, scope: Scope, *, before: bool) -> Query:
        """Deleted chats in the order of their deletion, up to `before`."""
        deleted_at = self.chat.deleted_at
        page = self.chat.select().where(*self.within(scope), *self.kept(hidden=True))
        if before:
            page = page.where(deleted_at < bindparam("before", type_=deleted_at.type))
        ordered = page.order_by(deleted_at, self.chat.id)
        return ordered.limit(bindparam("limit", type_=Integer))

    def every_chat(self, scope: Scope, *, after: bool) -> Query:
        """Chats by their ids, deleted ones included."""
        page = self.chat.select().where(*self.within(scope))
        if after:
            page = page.where(self.chat.id > bindparam("after", type_=self.chat.id.type))
        return page.order_by(self.chat.id).limit(bindparam("limit", type_=Integer))

    def list_chats(self, scope: Scope, *, after_key: bool, words: int = 0) -> Query:
        """Chats by their last activity, newest first, by keyset and not by offset.

        Those that a tool of a run has created are in the list of that run alone.

        With `words`, those whose title fits so many patterns: `word_0`, `word_1`, ...
        """
        page = self.chat.select().where(*self.within(scope), *self.kept())
        parent = self.chat.columns.get("parent_run_id")
        if parent is not None and "parent_run_id" not in scope:
            page = page.where(parent.is_(None))
        for place in range(words):
            pattern = bindparam(f"word_{place}", type_=String)
            page = page.where(self.chat.title.regexp_match(pattern))
        if after_key:
            moment = bindparam("updated_at", type_=self.chat.updated_at.type)
            earlier = self.chat.id < bindparam("id", type_=self.chat.id.type)
            # Not as a comparison of pairs: MariaDB reads the whole index for one.
            page = page.where(
                self.chat.updated_at <= moment, or_(self.chat.updated_at < moment, earlier)
            )
        return page.order_by(self.chat.updated_at.desc(), self.chat.id.desc()).limit(
            bindparam("limit", type_=Integer)
        )

    def within(self, scope: Scope) -> list[ColumnElement[bool]]:
        """What a chat within the scope has: these values, to the letter."""
        return [equals(self.chat.columns[name], value) for name, value in scope.items()]

    @cached_property
    def take_numbers(self) -> Update:
        """Take the chat's next message numbers, and bring it to the top of its list."""
        return (
            update(self.chat.table)
            .where(self.chat.id == bindparam("row_id"), *self.kept())
            .values(
                {
                    self.chat.next_seq: self.chat.next_seq + bindparam("taken", type_=Integer),
                    self.chat.updated_at: bindparam("new_updated_at"),
                }
            )
        )

    @cached_property
    def take_and_read_numbers(self) -> UpdateReturning:
        """The same, and return the next number that is left."""
        return self.take_numbers.returning(self.chat.next_seq.label("next_seq"))

    def update_chat(self, names: Sequence[str], scope: Scope, *, only_untitled: bool) -> Update:
        """These columns of a chat within the scope."""
        statement = self.chat.update(*names).where(*self.within(scope), *self.kept())
        return statement.where(self.chat.title.is_(None)) if only_untitled else statement

    @cached_property
    def set_next_seq(self) -> Update:
        """The next number of the chat."""
        return self.chat.update("next_seq")

    @cached_property
    def next_seq(self) -> Query:
        """The chat's next message number."""
        return select(self.chat.next_seq).where(self.chat.id == bindparam("chat_id"))
