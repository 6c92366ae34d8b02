"""The dashboard as an application to mount."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatrecord.runs.process import Backend
from chatrecord.web.error_responses import UNKNOWN, problem_of
from chatrecord.web.shutdown import signals

from .access import Access, Allowed, Names
from .assets import HEADERS
from .pages import Pages

log = logging.getLogger("chatrecord")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def dashboard(
    db: Backend,
    *,
    allowed: Allowed | None = None,
    names: Names | None = None,
    without_models: Sequence[str] = (),
    heartbeat: float = 15.0,
) -> Starlette:
    """Return the dashboard, an ASGI application to mount in Starlette or FastAPI.

        app.mount("/chats-admin", dashboard(db, allowed=is_admin))

    `allowed` is a function of the request, sync or async. `True` shows everything; a mapping such
    as `{"department": "HR"}` shows what belongs to chats with these columns, and nothing else;
    `False` and `None` are a 404. `names` has a function for a column of your chats, which returns
    what people call its values: `{"user_id": names_of_users}`. `without_models` leaves requests to
    models of these names out of the figures, unless they are grouped by model. `heartbeat` is in
    seconds. The dashboard reads only; it ends runs of dead processes, as each reader of a chat
    does. Raises `TypeError` without `allowed`.
    """
    unknown = names.keys() - set(db.store.chat_columns()) if names else set()
    if unknown:
        msg = f"names= has {sorted(unknown)}, which are no columns of your chats"
        raise TypeError(msg)
    return Starlette(
        routes=[
            Route(path or "/", endpoint, methods=["GET"])
            for path, endpoint in endpoints(
                db,
                allowed=allowed,
                names=names,
                without_models=without_models,
                heartbeat=heartbeat,
            ).items()
        ]
    )


def endpoints(
    db: Backend,
    *,
    allowed: Allowed | None,
    names: Names | None = None,
    without_models: Sequence[str] = (),
    heartbeat: float = 15.0,
) -> dict[str, Endpoint]:
    """All endpoints by their paths below the mount. Each answers GET."""
    if allowed is None or not callable(allowed):
        msg = (
            "dashboard() needs allowed=: a function of the request that returns True for those who "
            "may see all chats, or the columns of the chats that they may see. Without it "
            "everybody could read everything"
        )
        raise TypeError(msg)
    if isinstance(without_models, str):
        msg = f"without_models= takes a list of names: without_models=[{without_models!r}]"
        raise TypeError(msg)
    access = Access(db, allowed, names or {})
    pages = Pages(db, access, tuple(without_models), heartbeat)
    return {route.path: route.endpoint(pages) for route in ROUTES}


@dataclass(frozen=True, slots=True)
class DashboardRoute:
    """A route below the mount."""

    path: str
    handler: Callable[[Pages, Request], Awaitable[Response]]

    def endpoint(self, pages: Pages) -> Endpoint:
        """The handler of these pages, with careful headers, and errors in words for people."""

        async def answered(request: Request) -> Response:
            signals.watch()
            try:
                response = await self.handler(pages, request)
            except Exception as error:  # what it says is for the application's log, and no client
                problem = problem_of(error)
                if problem is UNKNOWN:
                    log.exception("Dashboard request failed: %s", type(error).__name__)
                response = problem.response()
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return answered


ROUTES = (
    DashboardRoute("", Pages.index),
    DashboardRoute("/assets/{name}", Pages.asset),
    DashboardRoute("/api/about", Pages.about),
    DashboardRoute("/api/usage", Pages.usage),
    DashboardRoute("/api/requests", Pages.requests),
    DashboardRoute("/api/chats", Pages.chats),
    DashboardRoute("/api/feedback", Pages.feedback),
    DashboardRoute("/api/texts", Pages.texts),
    DashboardRoute("/api/chats/{id}", Pages.chat),
    DashboardRoute("/api/chats/{id}/live/{run}", Pages.live),
    DashboardRoute("/api/chats/{id}/export", Pages.export),
    DashboardRoute("/api/chats/{id}/files/{hash}", Pages.file),
)
"""All routes. What is below `api` is the page's own, and may change with any version."""
