"""For the administrator: what is spent and how it goes, and every chat in full."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import HTTPException
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.web.dashboard import dashboard

from .guided import APPLICATION
from .hr import Hr
from .sign_in import signed_in
from .tables import User

PATH = "/administration"


def administration(hr: Hr) -> Starlette:
    """chatrecord's dashboard, with the names of people.

    Steps of the application's own are no requests to an LLM, and answer in no time: they are left
    out of the figures, but for the row of their own that they have by model.
    """

    async def is_administrator(request: Request) -> bool:
        try:
            return (await signed_in(request, hr)).role == "administrator"
        except HTTPException:
            return False

    async def names_of(people: Collection[int]) -> dict[int, str]:
        async with hr.sessions() as session:
            found = await session.scalars(select(User).where(User.id.in_(people)))
            return {user.id: user.name for user in found}

    return dashboard(
        hr.db,
        allowed=is_administrator,
        names={"user_id": names_of},
        without_models=[APPLICATION],
    )
