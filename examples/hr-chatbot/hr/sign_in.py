"""Signing in: a random token in a cookie, its hash in the database."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import delete, select

from .database import DEMO
from .hr import Hr
from .passwords import NOBODYS, matches
from .tables import SignIn, User
from .texts import plain

COOKIE = "hr_sign_in"
LASTS = timedelta(days=14)

router = APIRouter(prefix="/api")


def hr_of(request: Request) -> Hr:
    hr: Hr = request.app.state.hr
    return hr


HrDep = Annotated[Hr, Depends(hr_of)]


async def signed_in(request: Request, hr: HrDep) -> User:
    """Who is signed in. 401 for nobody."""
    token_hash = _hashed(request.cookies.get(COOKIE, ""))
    async with hr.sessions() as session:
        found = await session.get(SignIn, token_hash)
    if found is None or found.expires_at < datetime.now(UTC):
        raise HTTPException(401, "Sign in first")
    return found.user


Me = Annotated[User, Depends(signed_in)]


def only(*roles: str) -> Any:
    """A dependency that lets these roles through. 403 for others."""

    async def check(me: Me) -> User:
        if me.role not in roles:
            raise HTTPException(403, f"Only for the {' and '.join(roles)}")
        return me

    return Depends(check)


class Credentials(BaseModel):
    email: str = Field(max_length=200)
    password: str = Field(max_length=200)


@router.post("/sign-in")
async def sign_in(given: Credentials, request: Request, response: Response, hr: HrDep) -> Any:
    async with hr.sessions() as session:
        user = await session.scalar(select(User).where(User.email == _address(given.email)))
    stored = user.password if user else NOBODYS
    is_right = await asyncio.to_thread(matches, given.password, stored)
    if user is None or not is_right:
        raise HTTPException(401, "No such address, or another password")
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    async with hr.sessions.begin() as session:
        await session.execute(delete(SignIn).where(SignIn.expires_at < now))
        session.add(SignIn(token_hash=_hashed(token), user_id=user.id, expires_at=now + LASTS))
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return shown(user)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, hr: HrDep) -> None:
    token_hash = _hashed(request.cookies.get(COOKIE, ""))
    async with hr.sessions.begin() as session:
        await session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))
    response.delete_cookie(COOKIE)


@router.get("/me")
async def who_am_i(me: Me) -> Any:
    return shown(me)


@router.get("/demo")
async def demo(hr: HrDep) -> Any:
    """The people of a demo, with the passwords they have been given."""
    if not hr.settings.is_demo:
        raise HTTPException(404, "This is no demo")
    names = ("email", "name", "role", "vacationDays", "password")
    return {"accounts": [dict(zip(names, each, strict=True)) for each in DEMO]}


def shown(user: User) -> dict[str, Any]:
    return {"id": user.id, "name": user.name, "email": user.email, "role": user.role}


def _address(given: str) -> str:
    return plain(given).strip().lower()


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
