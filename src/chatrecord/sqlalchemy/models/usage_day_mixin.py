"""The table of past days, as a mixin."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from chatrecord.sqlalchemy.types import Key, LongText, Money, UtcDateTime

from .columns import Columns, not_arguments


@not_arguments
class UsageDayMixin(Columns):
    """What the requests of a past day (UTC) have used, added up: reports need not read them again.

    Row 0 of a day says when it was counted; its `counted_at` is NULL once requests of that day have
    changed, until `Database.repair()` counts them again. The rows from 1 on are its sums.
    """

    __later__ = frozenset({"kind"})

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    provider: Mapped[str | None] = mapped_column(LongText)
    model: Mapped[str | None] = mapped_column(LongText)
    agent: Mapped[str | None] = mapped_column(LongText)
    status: Mapped[str | None] = mapped_column(Key)
    requests: Mapped[int] = mapped_column(Integer)
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int | None] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cost: Mapped[Decimal | None] = mapped_column(Money)
    priced: Mapped[int] = mapped_column(Integer)
    reported: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str | None] = mapped_column(Key)
