"""The routes of chats as an `APIRouter`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from fastapi import APIRouter, Depends
from fastapi.params import Depends as Dependency
from starlette.requests import Request
from starlette.responses import Response

from chatrecord.runs.process import Backend
from chatrecord.web.ownership import Access, PerRequest
from chatrecord.web.pages import Pages, Protocol
from chatrecord.web.protocols.ai_sdk import Version
from chatrecord.web.routes import ROUTES, checked_options
from chatrecord.web.updates import checked_editable

from .operations import OPERATIONS

Columns: TypeAlias = Mapping[str, object] | None
"""The columns of a user's chats; `None` where nobody is signed in."""

Scope: TypeAlias = Callable[[Any], Columns | Awaitable[Columns]]
"""From what the dependency `owner` returns to the columns of that user's chats. May be async."""


def chat_router(
    db: Backend,
    llm: object,
    *,
    owner: object,
    scope: Scope | None = None,
    prefix: str = "/chats",
    protocol: Protocol = "ai-sdk",
    version: Version = 6,
    options: object = None,
    create_on_first_message: bool = False,
    editable: Sequence[str] = ("title",),
    max_body: int = 20_000_000,
    heartbeat: float = 15.0,
    shutdown_grace: float = 1.0,
    **runtime_options: object,
) -> APIRouter:
    """Return the routes of `chat_routes()` as a router of FastAPI.

        router = chat_router(db, "openai:gpt-5.2", owner=Depends(signed_in))
        app.include_router(router, prefix="/api")

    `owner` is a dependency, `Depends(...)` or its function. It returns the columns of the signed-in
    user's chats, such as `{"user_id": ...}`. If it returns a user of yours instead, `scope` is a
    function from that user to the columns. No columns, or `None`, are a 401. A dependency may also
    raise an `HTTPException` of its own. `llm` and `options` may be dependencies too, or functions
    of the request and the columns. The dependencies and the middleware of the application apply to
    all routes, and `openapi.json` has their models. Everything else is as in `chat_routes()`.
    Raises `TypeError` for an `owner` that is no dependency, and for unknown options.
    """
    asking = _dependency(owner)
    if asking is None:
        msg = (
            "chat_router() needs owner=: Depends(...) or its function, which returns the columns "
            "of the chats that the signed-in user may see, such as {'user_id': ...}. Without it "
            "everybody could read everything"
        )
        raise TypeError(msg)
    llm_dependency = llm if isinstance(llm, Dependency) else None
    options_dependency = options if isinstance(options, Dependency) else None
    given_options = cast(PerRequest | None, options)
    per_chat = checked_options(
        "chat_router()",
        _options_of if options_dependency else given_options,
        runtime_options,
        protocol,
        version,
    )
    may_change = checked_editable("chat_router()", db, editable)
    access = Access(
        db,
        _scope_of,
        _llm_of if llm_dependency else llm,
        per_chat,
        create_on_first_message,
        may_change,
    )
    pages = Pages(db, access, protocol, version, max_body, heartbeat, shutdown_grace)
    resolved = _resolved(asking, scope, llm_dependency, options_dependency)
    router = APIRouter(prefix=prefix, tags=["chats"], dependencies=[Depends(resolved)])
    for route in ROUTES:
        operation = OPERATIONS[route.name]
        router.add_api_route(
            route.path,
            _endpoint(route.endpoint(pages), operation.description),
            methods=[route.method],
            name=route.name,
            summary=operation.summary,
            status_code=operation.status,
            responses=operation.responses(),
            openapi_extra=operation.request(),
            response_model=None,
            response_class=Response,
        )
    return router


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What the dependencies of a request have returned."""

    scope: Mapping[str, object] | None
    llm: object
    options: object


def _resolved(
    owner: Dependency,
    scope: Scope | None,
    llm: Dependency | None,
    options: Dependency | None,
) -> Callable[..., Awaitable[None]]:
    """The one dependency of all routes: it keeps with the request what the others return."""
    nothing = Depends(lambda: None)

    async def resolved(
        request: Request,
        user: Any = owner,
        llm_of_user: Any = llm or nothing,
        options_of_user: Any = options or nothing,
    ) -> None:
        columns = user if scope is None or user is None else scope(user)
        if inspect.isawaitable(columns):
            columns = await columns
        request.state.chatrecord = _Resolved(columns, llm_of_user, options_of_user)

    return resolved


def _dependency(owner: object) -> Dependency | None:
    if isinstance(owner, Dependency):
        return owner
    return cast(Dependency, Depends(owner)) if callable(owner) else None


def _scope_of(request: Request) -> object:
    return _of(request).scope


def _llm_of(request: Request, _scope: Mapping[str, object]) -> object:
    return _of(request).llm


def _options_of(request: Request, _scope: Mapping[str, object]) -> object:
    return _of(request).options


def _of(request: Request) -> _Resolved:
    return cast(_Resolved, request.state.chatrecord)


def _endpoint(
    answered: Callable[[Request], Awaitable[Response]], description: str
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await answered(request)

    endpoint.__doc__ = description
    return endpoint
