"""Events: stored, numbered, read and deleted, and how far their named readers have come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Delete,
    Insert,
    Integer,
    Update,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from chatrecord.events import LAST
from chatrecord.sqlalchemy.generics import Query
from chatrecord.store.chat_store import Scope

from .chats import ChatStatements
from .clock import by_database_clock
from .tables import MappedTable, kept

COUNTER = ""
"""The name of the row that has the last number."""

EVENT_COLUMNS = ("type", "chat_id", "run_id", "created_at", "data")
_READ = ("id", "position", *EVENT_COLUMNS)


class EventStatements(ChatStatements):
    """Events: stored, numbered, read and deleted, and how far their named readers have come."""

    @property
    def _events(self) -> MappedTable:
        return kept(self.event, "Events", "event")

    @property
    def _readers(self) -> MappedTable:
        return kept(self.event_reader, "Readers of events", "event_reader")

    @cached_property
    def add_event(self) -> Insert:
        """An event."""
        return self._events.insert("id", "chat_order", *EVENT_COLUMNS)

    @cached_property
    def last_order_of_chat(self) -> Query:
        """The order of the last event of a chat, unless that tells of its deletion."""
        events = self._events
        of_chat = events.chat_id == bindparam("of_chat", type_=events.chat_id.type)
        return select(func.max(events.chat_order)).where(of_chat, events.chat_order < LAST)

    @cached_property
    def event_numbers(self) -> Query:
        """The last number, and whether there are events without one."""
        waiting = select(self._events.id).where(self._events.position.is_(None)).exists()
        last = select(self._readers.position).where(self._readers.name == COUNTER)
        return select(last.scalar_subquery().label("last"), waiting.label("waiting"))

    @cached_property
    def add_reader(self) -> Insert:
        """A reader, or the counter."""
        return self._readers.insert("name", "position")

    @cached_property
    def lock_numbers(self) -> Update:
        """Changes nothing: who numbers events waits for whoever does."""
        position = self._readers.position
        same: dict[object, object] = {position: position}
        return update(self._readers.table).where(self._readers.name == COUNTER).values(same)

    @cached_property
    def last_number(self) -> Query:
        """The last number that was given."""
        return select(self._readers.position).where(self._readers.name == COUNTER)

    @cached_property
    def set_last_number(self) -> Update:
        """The last number is this one now."""
        new: dict[object, object] = {self._readers.position: bindparam("new_position")}
        return update(self._readers.table).where(self._readers.name == COUNTER).values(new)

    @cached_property
    def unnumbered(self) -> Query:
        """The first events without a number."""
        return self._unnumbered.order_by(self._events.id).limit(bindparam("limit", type_=Integer))

    @cached_property
    def unnumbered_of_chats(self) -> Query:
        """All of these chats."""
        chat_id = self._events.chat_id
        return self._unnumbered.where(
            chat_id.in_(bindparam("chat_ids", expanding=True, type_=chat_id.type))
        )

    @property
    def _unnumbered(self) -> Query:
        events, names = self._events, ("id", "chat_id", "chat_order")
        columns = (events.columns[name].label(name) for name in names)
        return select(*columns).where(events.position.is_(None))

    @cached_property
    def number_event(self) -> Update:
        """The number of an event."""
        events = self._events
        new: dict[object, object] = {events.position: bindparam("new_position")}
        return update(events.table).where(events.id == bindparam("row_id")).values(new)

    @lru_cache(maxsize=2)  # noqa: B019 - lives as long as its database
    def _read_events(self, *, of_types: bool) -> Query:
        events = self._events
        page = select(*(events.columns[name].label(name) for name in _READ)).where(
            events.position > bindparam("after", type_=BigInteger),
            events.position <= bindparam("until", type_=BigInteger),
        )
        if of_types:
            names = bindparam("types", expanding=True, type_=events.type.type)
            page = page.where(events.type.in_(names))
        return page.order_by(events.position).limit(bindparam("limit", type_=Integer))

    def read_events(self, scope: Scope, *, of_types: bool) -> Query:
        """A page of events in their order."""
        page = self._read_events(of_types=of_types)
        if not scope:
            return page
        joined = cast(Any, page).join(self.chat.table, self.chat.id == self._events.chat_id)
        return cast(Query, joined.where(*self.within(scope)))

    @cached_property
    def events_of_ids(self) -> Query:
        """Some events by their numbers."""
        events = self._events
        ids = bindparam("ids", expanding=True, type_=BigInteger)
        found = select(*(events.columns[name].label(name) for name in _READ))
        return found.where(events.position.in_(ids)).order_by(events.position)

    @cached_property
    def oldest_events(self) -> Query:
        """The rows that were stored first."""
        events = self._events
        page = select(events.id, events.created_at.label("created_at")).order_by(events.id)
        return page.where(events.id > bindparam("after", type_=events.id.type)).limit(
            bindparam("limit", type_=Integer)
        )

    @cached_property
    def delete_events(self) -> Delete:
        """These rows."""
        ids = bindparam("ids", expanding=True, type_=self._events.id.type)
        return delete(self._events.table).where(self._events.id.in_(ids))

    @cached_property
    def claim_reader(self) -> Update:
        """Become the reader of a name that nobody has, or whose lease is over."""
        readers = self._readers
        free = or_(
            readers.owner.is_(None),
            readers.owner == bindparam("new_owner"),
            readers.lease_until < by_database_clock(bindparam("now")),
        )
        new: dict[object, object] = {
            readers.owner: bindparam("new_owner"),
            readers.lease_until: by_database_clock(bindparam("new_lease_until")),
        }
        mine = readers.name == bindparam("of_name")
        return update(readers.table).where(mine, free).values(new)

    @cached_property
    def reader(self) -> Query:
        """How far a reader has come."""
        readers = self._readers
        names: Sequence[str] = ("name", "position", "waiting", "owner")
        found = select(*(readers.columns[name].label(name) for name in names))
        return found.where(readers.name == bindparam("of_name"))

    @cached_property
    def save_reader(self) -> Update:
        """How far it has come, as long as it is this owner's."""
        until = by_database_clock(bindparam("new_lease_until"))
        return self._saved.values({self._readers.lease_until: until})

    @cached_property
    def free_reader(self) -> Update:
        """The same, and the name is nobody's from now on."""
        readers = self._readers
        return self._saved.values({readers.owner: None, readers.lease_until: None})

    @property
    def _saved(self) -> Update:
        readers = self._readers
        mine = (readers.name == bindparam("of_name"), readers.owner == bindparam("of_owner"))
        new: dict[object, object] = {
            readers.columns[name]: bindparam(f"new_{name}") for name in ("position", "waiting")
        }
        return update(readers.table).where(*mine).values(new)
