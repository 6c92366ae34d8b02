"""The web application: who may, what is where, and chatrecord's routes among it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from fastapi import APIRouter, FastAPI

from . import admin, documents, sign_in
from .hr import Hr
from .pages import CarefulHeaders, add_pages
from .settings import HERE
from .sign_in import HrDep, Me
from .time_off import Vacation

vacation = APIRouter(prefix="/api")


@vacation.get("/vacation")
async def my_vacation(me: Me, hr: HrDep) -> Any:
    """The balance of this year, and what is booked."""
    mine = Vacation(hr.sessions, me.id)
    balance = await mine.balance(date.today().year)
    return {
        "year": balance.year,
        "entitled": balance.entitled,
        "taken": balance.taken,
        "left": balance.left,
        "requests": [
            {
                "firstDay": it.first_day,
                "lastDay": it.last_day,
                "days": it.days,
                "reason": it.reason,
            }
            for it in await mine.booked()
        ],
    }
