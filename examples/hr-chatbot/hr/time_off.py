"""Vacation: what is left of it, and taking some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Sessions
from .public_holidays import SITES, public_holidays
from .tables import TimeOff, User
from .texts import plain

LONGEST_REASON = 500
FRIDAY, SATURDAY = 4, 5


class NotPossible(ValueError):
    """A request that cannot be booked; its message says why."""


@dataclass(frozen=True)
class Balance:
    """Working days of a calendar year."""

    year: int
    entitled: int
    taken: int

    @property
    def left(self) -> int:
        return self.entitled - self.taken


class Vacation:
    """That of one person. Whose it is says the sign-in, never a model or a request."""

    def __init__(self, sessions: Sessions, user_id: int, *, site: str = SITES[0]) -> None:
        self._sessions = sessions
        self._user_id = user_id
        self._site = site

    async def balance(self, year: int) -> Balance:
        async with self._sessions() as session:
            return await self._balance(session, year)

    async def booked(self) -> list[TimeOff]:
        async with self._sessions() as session:
            return await self._all(session)

    async def free_friday(self, earliest: date) -> date:
        """The first Friday from this day on that is no public holiday and not booked yet."""
        booked = await self.booked()
        day = earliest + timedelta(days=(FRIDAY - earliest.weekday()) % 7)
        while not working_days(day, day, self._site) or any(
            it.first_day <= day <= it.last_day for it in booked
        ):
            day += timedelta(weeks=1)
        return day

    async def check(self, first: date, last: date) -> None:
        """Raise `NotPossible` unless these days could be booked now."""
        days = _checked(first, last, self._site)
        async with self._sessions() as session:
            await self._room(session, first, last, days)

    async def book(self, first: date, last: date, reason: str) -> TimeOff:
        """Book these days. Raises `NotPossible`."""
        days = _checked(first, last, self._site)
        async with self._sessions.begin() as session:
            # Locked, so that two requests at once cannot both take the last days: by a write, as
            # SQLite knows no other lock.
            me = update(User).where(User.id == self._user_id)
            await session.execute(me.values(vacation_days=User.vacation_days))
            await self._room(session, first, last, days)
            booked = TimeOff(
                user_id=self._user_id,
                first_day=first,
                last_day=last,
                days=days,
                reason=plain(reason)[:LONGEST_REASON],
            )
            session.add(booked)
        return booked

    async def _room(self, session: AsyncSession, first: date, last: date, days: int) -> None:
        for other in await self._all(session):
            if other.first_day <= last and first <= other.last_day:
                msg = f"{_said(other.first_day, other.last_day)} is booked already"
                raise NotPossible(msg)
        balance = await self._balance(session, first.year)
        if days > balance.left:
            msg = f"that takes {days} days, and {balance.left} are left in {first.year}"
            raise NotPossible(msg)

    async def _balance(self, session: AsyncSession, year: int) -> Balance:
        user = await session.get_one(User, self._user_id)
        taken = sum(it.days for it in await self._all(session) if it.first_day.year == year)
        return Balance(year, user.vacation_days, taken)

    async def _all(self, session: AsyncSession) -> list[TimeOff]:
        mine = select(TimeOff).where(TimeOff.user_id == self._user_id)
        return list(await session.scalars(mine.order_by(TimeOff.first_day)))


def working_days(first: date, last: date, site: str = SITES[0]) -> int:
    """Mondays to Fridays that are no public holidays, both ends included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(
        day.weekday() < SATURDAY and day not in public_holidays(site, day.year) for day in days
    )


def _checked(first: date, last: date, site: str) -> int:
    """How many working days these are, if they can be booked at all."""
    if last < first:
        msg = f"{last} is before {first}"
    elif first < date.today():
        msg = f"{first} is in the past"
    elif first.year != last.year:
        msg = "a request stays within one calendar year: make one for each"
    elif days := working_days(first, last, site):
        return days
    elif name := public_holidays(site, first.year).get(first):
        msg = f"{_said(first, last)} is free already: {name}"
    else:
        msg = f"{_said(first, last)} has no working day in it"
    raise NotPossible(msg)


def _said(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} to {last}"
