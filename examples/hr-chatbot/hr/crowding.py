"""One person has only so many requests, and answers, under way at once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from fastapi import HTTPException
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from .hr import Hr
from .problems import problem
from .sign_in import signed_in
from .tables import HrChat, HrRun, User

_UNDER_WAY = ("waiting", "running")
_TOO_MANY = "You have too many answers under way: let some end, or stop them"


class PerPerson:
    """Around the routes of chats: an open stream holds its place until its reader leaves."""

    def __init__(self, hr: Hr, prefix: str) -> None:
        self._hr = hr
        self._prefix = prefix
        self._open: Counter[int] = Counter()

    def around(self, app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            request.state.person = person = await self._person(request)
            if person is None:  # the routes say so
                await app(scope, receive, send)
            elif await self._is_too_much(request, person):
                refused = problem(429, _TOO_MANY, {"retry-after": "5"})
                await refused(scope, receive, send)
            else:
                await self._counted(person.id, app, scope, receive, send)

        return limited

    async def _person(self, request: Request) -> User | None:
        try:
            return await signed_in(request, self._hr)
        except HTTPException:
            return None

    async def _is_too_much(self, request: Request, person: User) -> bool:
        most = self._hr.settings.at_once
        if self._open[person.id] >= most:
            return True
        return self._begins_an_answer(request) and await self._answers(person.id) >= most

    def _begins_an_answer(self, request: Request) -> bool:
        path = request.url.path
        return request.method == "POST" and (path == self._prefix or path.endswith("/resume"))

    async def _answers(self, user_id: int) -> int:
        """They go on where nobody reads them, so that open streams do not tell how many."""
        mine = select(func.count()).select_from(HrRun).join(HrChat, HrChat.id == HrRun.chat_id)
        under_way = mine.where(
            HrChat.user_id == user_id,
            HrRun.status.in_(_UNDER_WAY),
            HrRun.lease_until > datetime.now(UTC),
        )
        async with self._hr.sessions() as session:
            return await session.scalar(under_way) or 0

    async def _counted(
        self, user_id: int, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._open[user_id] += 1
        try:
            await app(scope, receive, send)
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]
