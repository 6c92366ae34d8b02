"""All SQL of the library, a statement a method, built once for the classes of a `Models`."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Integer,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.orm import ColumnProperty, Mapper
from sqlalchemy.sql.dml import ReturningUpdate

from chatrecord.errors import ConfigurationError
from chatrecord.ids import first_id
from chatrecord.sqlalchemy.engine.notifications import CHANNEL
from chatrecord.sqlalchemy.models.mixins import Models
from chatrecord.store.chat_store import Scope

from .exact import equals, exact

TOKEN_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


class MappedTable:
    """A mapped class as Core sees it: its table, and its columns by attribute name."""

    def __init__(self, model: type) -> None:
        mapper: Mapper[Any] = inspect(model)
        self.table = cast(Table, mapper.local_table)
        self.columns: dict[str, ColumnElement[Any]] = {
            attribute.key: attribute.columns[0]
            for attribute in mapper.attrs
            if isinstance(attribute, ColumnProperty)
        }

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None

    def select(self) -> Select[Any]:
        """All columns, labelled by attribute name."""
        return select(*(column.label(name) for name, column in self.columns.items()))

    @cached_property
    def delete_one(self) -> Delete:
        """The row of the parameter `row_id`."""
        return delete(self.table).where(self.columns["id"] == bindparam("row_id"))

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def insert(self, *names: str) -> Insert:
        """A row from parameters named like the attributes."""
        return insert(self.table).values({self.columns[name]: bindparam(name) for name in names})

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def update(self, *names: str) -> Update:
        """A row, found by the parameter `row_id`, from parameters `new_` and the attribute."""
        changes: dict[Any, Any] = {self.columns[name]: bindparam(f"new_{name}") for name in names}
        return update(self.table).where(self.columns["id"] == bindparam("row_id")).values(changes)


class Statements:
    """The statements for one set of models."""

    def __init__(self, models: Models) -> None:
        self.chat = MappedTable(models.chat)
        self.run = MappedTable(models.run)
        self.message = MappedTable(models.message)
        self.chunk = MappedTable(models.chunk)
        self.tool_call = MappedTable(models.tool_call) if models.tool_call else None
        self.request = MappedTable(models.request) if models.request else None
        self.attachment = MappedTable(models.attachment) if models.attachment else None

    def get_chat(self, scope: Scope) -> Select[Any]:
        """One chat by `chat_id`, if it is within the scope."""
        return self.chat.select().where(self.chat.id == bindparam("chat_id"), *self.within(scope))

    def list_chats(self, scope: Scope, *, after_key: bool, by_title: bool = False) -> Select[Any]:
        """Chats by their last activity, newest first, by keyset and not by offset."""
        page = self.chat.select().where(*self.within(scope))
        if by_title:
            page = page.where(self.chat.title.regexp_match(bindparam("pattern", type_=String)))
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
            .where(self.chat.id == bindparam("row_id"))
            .values(
                {
                    self.chat.next_seq: self.chat.next_seq + bindparam("taken", type_=Integer),
                    self.chat.updated_at: bindparam("new_updated_at"),
                }
            )
        )

    @lru_cache(maxsize=2)  # noqa: B019 - lives as long as its database
    def insert_opening(self, *names: str) -> Insert:
        """The prompt and the answer to it, numbered below the chat's next number."""
        taken = (
            select(self.chat.next_seq - bindparam("behind", type_=Integer))
            .where(self.chat.id == bindparam("of_chat", type_=self.chat.id.type))
            .scalar_subquery()
        )
        return self.message.insert(*names).values({self.message.seq: taken})

    def _waiting(self) -> list[ColumnElement[bool]]:
        of_chat = self.run.chat_id == bindparam("of_chat", type_=self.run.chat_id.type)
        return [of_chat, self.run.status == "waiting"]

    @cached_property
    def first_in_line(self) -> Select[Any]:
        """The run that has waited longest for a chat, and still does."""
        now = bindparam("now", type_=self.run.lease_until.type)
        alive = self.run.lease_until >= now
        ids = select(self.run.id).where(*self._waiting(), alive)
        return ids.order_by(self.run.id).limit(1)

    @cached_property
    def keep_place(self) -> Update:
        """A run still waits."""
        return (
            update(self.run.table)
            .where(self.run.id == bindparam("row_id"), self.run.status == "waiting")
            .values({self.run.lease_until: bindparam("new_lease_until")})
        )

    @cached_property
    def leave_line(self) -> Delete:
        """A run waits no more."""
        mine = self.run.id == bindparam("row_id")
        return delete(self.run.table).where(mine, self.run.status == "waiting")

    @cached_property
    def clear_line(self) -> Delete:
        """Those of a chat that have waited without a sign of life."""
        gone = self.run.lease_until < bindparam("now", type_=self.run.lease_until.type)
        return delete(self.run.table).where(*self._waiting(), gone)

    @cached_property
    def set_title(self) -> Update:
        """What a chat is called."""
        return self.chat.update("title")

    @cached_property
    def set_first_title(self) -> Update:
        """What a chat is called that is called nothing yet."""
        return self.set_title.where(self.chat.title.is_(None))

    @cached_property
    def set_next_seq(self) -> Update:
        """Where the chat's numbers go on."""
        return self.chat.update("next_seq")

    @cached_property
    def run_of_key(self) -> Select[Any]:
        """The run that was sent with this idempotency key."""
        return self.run.select().where(
            self.run.chat_id == bindparam("chat_id"),
            self.run.idempotency_key == bindparam("key"),
        )

    @cached_property
    def next_seq(self) -> Select[Any]:
        """The chat's next message number."""
        return select(self.chat.next_seq).where(self.chat.id == bindparam("chat_id"))

    @cached_property
    def history_before(self) -> Select[Any]:
        """The last messages that count between the numbers `after` and `before`, newest first."""
        below = self.message.seq < bindparam("before", type_=Integer)
        above = self.message.seq > bindparam("after", type_=Integer)
        return self._newest(self.message.status != "superseded", below, above)

    @cached_property
    def last_summary(self) -> Select[Any]:
        """The summary that covers most, of those that cover nothing from the number `before` on.

        The number of a summary is that of the last message that it covers, negated.
        """
        return (
            self.message.select()
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
    def summaries(self) -> Select[Any]:
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
    def get_message(self) -> Select[Any]:
        """A message of a chat."""
        return self.message.select().where(
            self.message.id == bindparam("message_id"),
            self.message.chat_id == bindparam("chat_id"),
        )

    @cached_property
    def first_messages(self) -> Select[Any]:
        """The first messages that still stand, oldest first."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        standing = self.message.status != "superseded"
        page = self.message.select().where(of_chat, self.message.seq >= 0, standing)
        return page.order_by(self.message.seq).limit(bindparam("limit", type_=Integer))

    @cached_property
    def last_prompt(self) -> Select[Any]:
        """The last message of the user that still stands."""
        return self._newest(self.message.role == "user", self.message.status != "superseded")

    @cached_property
    def history_from(self) -> Select[Any]:
        """Every message that counts from the number `first` on, below `before`, newest first."""
        return (
            self.message.select()
            .where(
                self.message.chat_id == bindparam("chat_id"),
                self.message.status != "superseded",
                self.message.seq >= bindparam("first", type_=Integer),
                self.message.seq < bindparam("before", type_=Integer),
            )
            .order_by(self.message.seq.desc())
        )

    @cached_property
    def round_start(self) -> Select[Any]:
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
    def last_messages(self) -> Select[Any]:
        """The last messages of a chat, superseded ones too, newest first."""
        return self._newest(self.message.seq >= 0)

    @cached_property
    def last_run_id(self) -> Select[Any]:
        """The run that has written the last message of a chat, be it superseded."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        numbered = select(self.message.run_id).where(of_chat)
        return numbered.order_by(self.message.seq.desc()).limit(1)

    @cached_property
    def messages_before(self) -> Select[Any]:
        """The last messages below the number `before`, newest first."""
        below = self.message.seq < bindparam("before", type_=Integer)
        return self._newest(below, self.message.seq >= 0)

    def _newest(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        return (
            self.message.select()
            .where(and_(self.message.chat_id == bindparam("chat_id"), *conditions))
            .order_by(self.message.seq.desc())
            .limit(bindparam("limit", type_=Integer))
        )

    def all_of(self, mapped: MappedTable) -> Select[Any]:
        """Every row of a chat in the order of their ids, which is that of their making."""
        return mapped.select().where(mapped.chat_id == bindparam("chat_id")).order_by(mapped.id)

    @cached_property
    def runs_of_chat(self) -> Select[Any]:
        """The runs of a chat that have begun, oldest first."""
        return self.all_of(self.run).where(self.run.status != "waiting")

    @cached_property
    def messages_of_chat(self) -> Select[Any]:
        """The messages of a chat, superseded ones too, in their order."""
        of_chat = self.message.chat_id == bindparam("chat_id")
        return self.message.select().where(of_chat).order_by(self.message.seq)

    @cached_property
    def journal_of_chat(self) -> Select[Any]:
        """All pieces of the messages of a chat that are still streaming."""
        messages = select(self.message.id).where(self.message.chat_id == bindparam("chat_id"))
        of_chat = self.chunk.message_id.in_(messages)
        return self.chunk.select().where(of_chat).order_by(self.chunk.message_id, self.chunk.seq)

    @cached_property
    def usage(self) -> Select[Any]:
        """Sums over the chat's requests, or over its messages where requests are not kept."""
        rows = self.request or self.message
        cost = self.request.cost if self.request else None
        written = self.message.role.in_(("assistant", "summary"))
        answers = [written] if self.request is None else []
        return select(
            *(func.sum(rows.columns[name]).label(name) for name in TOKEN_COLUMNS),
            func.count().label("requests"),
            *(
                (func.sum(cost).label("cost"), func.count(cost).label("priced"))
                if cost is not None
                else ()
            ),
        ).where(rows.chat_id == bindparam("chat_id"), *answers)

    def _of_owner(self, by: str | None, whose: object) -> list[ColumnElement[bool]]:
        if by is None:
            return []
        return [equals(self._owner_column(by), whose)]

    def _owner_column(self, by: str) -> ColumnElement[Any]:
        return self.chat.id if by == "chat_id" else self.chat.columns[by]

    def owner(self, by: str) -> Select[Any]:
        """The value of this column of a chat.

        Its row is locked as well: on MySQL a plain read would fix what the ones after it can see.
        """
        mine = self.chat.id == bindparam("chat_id")
        return select(exact(self._owner_column(by))).where(mine).with_for_update(key_share=True)

    def lock_owner(self, by: str | None, whose: object) -> Select[Any]:
        """The owner's first chat, which stands for all while its row is locked."""
        first = select(self.chat.id).where(*self._of_owner(by, whose))
        return first.order_by(self.chat.id).limit(1).with_for_update(key_share=True)

    def spent(self, by: str | None, whose: object, since: datetime | None) -> Select[Any]:
        """Sums over what the owner's requests that have ended have used since then."""
        requests = kept(self.request, "Requests", "request")
        period = []
        if since is not None:
            # The ids tell the time, and the index of each chat's requests ends with them.
            period = [requests.started_at >= since, requests.id >= first_id(since)]
        return (
            select(
                *(func.sum(requests.columns[name]).label(name) for name in TOKEN_COLUMNS),
                func.count().label("requests"),
                func.sum(requests.cost).label("cost"),
                func.count(requests.cost).label("priced"),
            )
            .join_from(self.chat.table, requests.table, requests.chat_id == self.chat.id)
            .where(requests.status != "running", *self._of_owner(by, whose), *period)
        )

    def under_way(self, by: str | None, whose: object) -> Select[Any]:
        """Model and provider of the owner's requests that have not ended, of runs that live."""
        requests = kept(self.request, "Requests", "request")
        alive = self.run.lease_until >= bindparam("now", type_=self.run.lease_until.type)
        return (
            select(requests.model, requests.provider)
            .join_from(self.run.table, requests.table, requests.run_id == self.run.id)
            .join(self.chat.table, self.chat.id == self.run.active_chat_id)
            .where(
                requests.chat_id == self.run.active_chat_id,
                requests.id > self.run.id,
                requests.run_id != bindparam("but_of_run", type_=self.run.id.type),
                requests.status == "running",
                alive,
                *self._of_owner(by, whose),
            )
        )

    def _owned(self) -> list[ColumnElement[bool]]:
        return [
            self.run.id.in_(bindparam("run_ids", expanding=True, type_=self.run.id.type)),
            self.run.owner == bindparam("of_owner"),
            self.run.epoch == bindparam("of_epoch", type_=Integer),
            self.run.active_chat_id.is_not(None),
        ]

    @cached_property
    def renew_leases(self) -> Update:
        """Extend the leases of those of these runs that are still of this owner and epoch."""
        until: dict[Any, Any] = {self.run.lease_until: bindparam("new_lease_until")}
        return update(self.run.table).where(*self._owned()).values(until)

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def renew_leases_with(self, *names: str) -> Update:
        """Extend the lease of a run and write these of its columns."""
        columns = self.run.columns
        changes: dict[Any, Any] = {columns[name]: bindparam(f"new_{name}") for name in names}
        return self.renew_leases.values(changes)

    @cached_property
    def renew_and_read_leases(self) -> Update | ReturningUpdate[Any]:
        """The same, and what has been asked of them, where one statement can do both."""
        return self.renew_leases.returning(self.run.id, self.run.stop_requested)

    @cached_property
    def renew_read_and_tell_leases(self) -> ReturningUpdate[Any]:
        """The same, and tell whoever listens: a notice that is repeated is sent once."""
        return self.renew_leases.returning(self.run.id, self.run.stop_requested, _told())

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def renew_leases_with_and_tell(self, *names: str) -> ReturningUpdate[Any]:
        """Extend the lease of a run, write these of its columns, and tell whoever listens."""
        return self.renew_leases_with(*names).returning(_told())

    @cached_property
    def read_leases(self) -> Select[Any]:
        """What has been asked of those of these runs that are still of this owner and epoch."""
        return select(self.run.id, self.run.stop_requested).where(*self._owned())

    @cached_property
    def active(self) -> Select[Any]:
        """The run that holds a chat."""
        return self.run.select().where(self.run.active_chat_id == bindparam("chat_id"))

    def expired(self, *, of_chats: bool) -> Select[Any]:
        """Active runs whose lease has expired, oldest first."""
        if of_chats:
            ids = bindparam("chat_ids", expanding=True, type_=self.run.id.type)
            held = self.run.active_chat_id.in_(ids)
        else:
            held = self.run.active_chat_id.is_not(None)
        expired = self.run.lease_until < bindparam("now", type_=self.run.lease_until.type)
        page = self.run.select().where(held, expired).order_by(self.run.id)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def expired_in_line(self) -> Select[Any]:
        """Runs that stand in line although their process has died."""
        expired = self.run.lease_until < bindparam("now", type_=self.run.lease_until.type)
        page = self.run.select().where(self.run.status == "waiting", expired)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def claim(self) -> Update:
        """Take over a run whose lease has expired, unless somebody was faster."""
        return (
            update(self.run.table)
            .where(
                self.run.id == bindparam("row_id"),
                self.run.epoch == bindparam("of_epoch", type_=Integer),
                self.run.active_chat_id.is_not(None),
                self.run.lease_until < bindparam("now", type_=self.run.lease_until.type),
            )
            .values(
                {
                    self.run.owner: bindparam("new_owner"),
                    self.run.epoch: self.run.epoch + 1,
                    self.run.lease_until: bindparam("new_lease_until"),
                }
            )
        )

    @cached_property
    def reopen(self) -> Update:
        """Take up a run again, unless somebody was faster."""
        return (
            update(self.run.table)
            .where(
                self.run.id == bindparam("row_id"),
                self.run.epoch == bindparam("of_epoch", type_=Integer),
                self.run.status == bindparam("of_status"),
            )
            .values(
                {
                    self.run.status: "running",
                    self.run.active_chat_id: self.run.chat_id,
                    self.run.owner: bindparam("new_owner"),
                    self.run.epoch: self.run.epoch + 1,
                    self.run.lease_until: bindparam("new_lease_until"),
                    self.run.stop_requested: False,
                    self.run.error: None,
                    self.run.finished_at: None,
                }
            )
        )

    @cached_property
    def decide(self) -> Update | None:
        """Approve or deny a tool call that waits for it."""
        calls = self.tool_call
        if calls is None:
            return None
        waiting = and_(
            calls.chat_id == bindparam("of_chat"),
            calls.call_id == bindparam("of_call"),
            calls.status == "awaiting_approval",
        )
        decision: dict[Any, Any] = {
            calls.status: bindparam("new_status"),
            calls.error: bindparam("new_error"),
        }
        return update(calls.table).where(waiting).values(decision)

    @cached_property
    def end_asides(self) -> Update:
        """End the requests of no run that were begun in this time and have not ended."""
        requests = kept(self.request, "Requests", "request")
        begun = requests.started_at
        changes: dict[Any, Any] = {
            requests.status: "interrupted",
            requests.error: bindparam("new_error"),
        }
        return (
            update(requests.table)
            .where(
                requests.run_id.is_(None),
                requests.status == "running",
                begun >= bindparam("since", type_=begun.type),
                begun < bindparam("before", type_=begun.type),
            )
            .values(changes)
        )

    @cached_property
    def request_stop(self) -> Update:
        """Ask the owner of a run to stop it."""
        return (
            update(self.run.table)
            .where(self.run.id == bindparam("row_id"), self.run.active_chat_id.is_not(None))
            .values({self.run.stop_requested: True})
        )

    @cached_property
    def beats(self) -> Select[Any]:
        """How these runs do."""
        names = ("id", "status", "lease_until", "error")
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        return select(*(self.run.columns[name].label(name) for name in names)).where(
            self.run.id.in_(ids)
        )

    @cached_property
    def get_run(self) -> Select[Any]:
        """A run of a chat."""
        return self.run.select().where(
            self.run.id == bindparam("run_id"), self.run.chat_id == bindparam("chat_id")
        )

    @cached_property
    def messages_of_run(self) -> Select[Any]:
        """The messages of one run, in their order."""
        of_run = self.message.run_id == bindparam("run_id")
        return self.message.select().where(of_run).order_by(self.message.seq)

    @cached_property
    def some_runs(self) -> Select[Any]:
        """Some runs of a chat, oldest first."""
        of_chat = self.run.chat_id == bindparam("chat_id")
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        return self.run.select().where(of_chat, self.run.id.in_(ids)).order_by(self.run.id)

    def of_runs(self, mapped: MappedTable) -> Select[Any]:
        """The tool calls or requests of some runs, whose ids are all later than the first's."""
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        of_runs = and_(
            mapped.chat_id == bindparam("chat_id"),
            mapped.id > bindparam("oldest", type_=mapped.id.type),
            mapped.run_id.in_(ids),
        )
        return mapped.select().where(of_runs).order_by(mapped.id)

    def of_run(self, mapped: MappedTable) -> Select[Any]:
        """The tool calls or requests of one run, whose ids are all later than its own."""
        of_run = and_(
            mapped.chat_id == bindparam("chat_id"),
            mapped.id > bindparam("run_id", type_=mapped.id.type),
            mapped.run_id == bindparam("run_id", type_=mapped.id.type),
        )
        return mapped.select().where(of_run).order_by(mapped.id)

    @cached_property
    def journal_of_run(self) -> Select[Any]:
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
    def journal(self) -> Select[Any]:
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
    def journal_since(self, messages: int) -> Select[Any]:
        """The pieces of so many messages, each after a number of its own."""
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
    def empty_journal(self) -> Delete:
        """The pieces of a message that is whole now."""
        return delete(self.chunk.table).where(self.chunk.message_id == bindparam("of_message"))


def _told() -> ColumnElement[Any]:
    return func.pg_notify(CHANNEL, bindparam("tidings", type_=String))


def kept(mapped: MappedTable | None, rows: str, model: str) -> MappedTable:
    """This table, or `ConfigurationError` where its rows are not kept."""
    if mapped is None:
        raise not_kept(rows, model)
    return mapped


def not_kept(rows: str, model: str) -> ConfigurationError:
    """What to say of rows that are not kept."""
    msg = f"{rows} are not kept in this database: give its Models a class for {model}="
    return ConfigurationError(msg)
