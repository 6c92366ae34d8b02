"""Signing in: a random token in a cookie, its hash in the database."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import delete, select

from .attempts import Attempts, TooManyAttempts
from .database import DEMO
from .hr import Hr
from .passwords import NOBODYS, PasswordChecks, TooManyAtOnce
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
    token_hash = _hashed(request.cookies.get(cookie_name(request, hr), ""))
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


class Door:
    """What stands between anybody and signing in, in this process."""

    def __init__(self) -> None:
        self._attempts = Attempts()
        self._passwords = PasswordChecks()

    async def is_right(self, password: str, user: User | None, email: str, address: str) -> bool:
        """Whether this is the password. Refused with what to do where too many are tried."""
        try:
            self._attempts.begin(address, email)
            is_right = await self._passwords.matches(password, user.password if user else NOBODYS)
        except TooManyAttempts as error:
            wait = {"retry-after": str(error.seconds)}
            told = f"Too many wrong passwords: try again in {-(-error.seconds // 60)} minutes"
            raise HTTPException(429, told, wait) from error
        except TooManyAtOnce as error:
            self._attempts.take_back(address, email)
            told = "Too many people are signing in right now: try again in a moment"
            raise HTTPException(503, told, {"retry-after": "5"}) from error
        if is_right and user is not None:
            self._attempts.take_back(address, email)
        return is_right and user is not None


class Credentials(BaseModel):
    email: str = Field(max_length=200)
    password: str = Field(max_length=200)


@router.post("/sign-in")
async def sign_in(given: Credentials, request: Request, response: Response, hr: HrDep) -> Any:
    email = _address(given.email)
    async with hr.sessions() as session:
        user = await session.scalar(select(User).where(User.email == email))
    door: Door = request.app.state.door
    is_right = await door.is_right(given.password, user, email, _network_address(request))
    if user is None or not is_right:
        raise HTTPException(401, "The e-mail address or the password is wrong")
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    async with hr.sessions.begin() as session:
        await session.execute(delete(SignIn).where(SignIn.expires_at < now))
        session.add(SignIn(token_hash=_hashed(token), user_id=user.id, expires_at=now + LASTS))
    response.set_cookie(
        cookie_name(request, hr),
        token,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request, hr),
    )
    return shown(user)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, hr: HrDep) -> None:
    token_hash = _hashed(request.cookies.get(cookie_name(request, hr), ""))
    async with hr.sessions.begin() as session:
        await session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))
    name, is_secure = cookie_name(request, hr), _is_secure(request, hr)
    response.delete_cookie(name, httponly=True, samesite="strict", secure=is_secure)


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


def _network_address(request: Request) -> str:
    return request.client.host if request.client else ""


def cookie_name(request: Request, hr: Hr) -> str:
    """With HTTPS one that only this very host can set, and only over HTTPS."""
    return f"__Host-{COOKIE}" if _is_secure(request, hr) else COOKIE


def _is_secure(request: Request, hr: Hr) -> bool:
    return request.url.scheme == "https" or hr.settings.url.startswith("https:")


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
