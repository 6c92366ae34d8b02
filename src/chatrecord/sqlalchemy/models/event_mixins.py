"""The tables of events, as mixins."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chatrecord.sqlalchemy.types import Key, PrivateJson, UtcDateTime

from .columns import Columns, not_arguments


@not_arguments
class EventMixin(Columns):
    """What has happened to a chat, for readers outside: see `Database.events`.

    `position` is what readers go by. It is NULL until the row is committed and somebody reads: rows
    are not committed in the order of their ids. `chat_order` orders the events of one chat. There
    is no foreign key, since a deleted chat has an event, too.
    """

    __uniques__ = (("position",),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger)
    chat_order: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(Key)
    chat_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    run_id: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[Any] = mapped_column(PrivateJson)


@not_arguments
class EventReaderMixin(Columns):
    """How far each named reader of the events has come. The row without a name has the last number.

    `owner` is the process that reads now, until `lease_until`.
    """

    name: Mapped[str] = mapped_column(Key, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[Any] = mapped_column(PrivateJson)
    owner: Mapped[str | None] = mapped_column(Key)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
