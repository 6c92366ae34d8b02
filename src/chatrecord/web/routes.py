"""The routes of chats, for Starlette and what is built on it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatrecord.chats.options import RuntimeOptions, check_options
from chatrecord.runs.process import Backend
from chatrecord.web.protocols.ai_sdk import Version

from .error_responses import UNKNOWN, problem_of
from .ownership import Access, Owner, PerRequest, check_names
from .pages import PROTOCOLS, Pages, Protocol
from .shutdown import signals
from .updates import checked_editable

log = logging.getLogger("chatrecord")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def chat_routes(
    db: Backend,
    llm: object,
    *,
    owner: Owner | None = None,
    prefix: str = "",
    protocol: Protocol = "ai-sdk",
    version: Version = 6,
    options: PerRequest | None = None,
    create_on_first_message: bool = False,
    editable: Sequence[str] = ("title",),
    max_body: int = 20_000_000,
    heartbeat: float = 15.0,
    shutdown_grace: float = 1.0,
    **runtime_options: object,
) -> list[Route]:
    """Return the routes for a page of chats.

        app = Starlette(routes=chat_routes(db, "openai:gpt-5.2", owner=signed_in, prefix="/chats"))

    `owner` is a function of the request, sync or async. It returns the columns of the signed-in
    user's chats (`{"user_id": ...}`), or `None` if no user is signed in: a 401. All routes see only
    these chats; others are a 404. `llm` may be a function of the request and that scope, and so may
    `options` for all `RuntimeOptions`, so that tools are those of the signed-in user. `version` is
    the version of the AI SDK for clients that do not send theirs. With `create_on_first_message`
    clients may name chats by ids of their own: a question for an unknown id creates the chat, in
    the scope of who asks. `editable` names what users may change of their chats with `PATCH`:
    `title`, `metadata`, `instructions` and columns of yours. Columns that `owner` returns can never
    be changed. `max_body` is in bytes, `heartbeat` in seconds. `shutdown_grace` are the
    seconds from SIGTERM or SIGINT to the ending of open streams. Raises `TypeError` without
    `owner`, and for unknown options.
    """
    if owner is None or not callable(owner):
        msg = (
            "chat_routes() needs owner=: a function of the request that returns the columns of the "
            "chats that the signed-in user may see, such as {'user_id': ...}, or None. Without it "
            "everybody could read everything"
        )
        raise TypeError(msg)
    per_chat = checked_options("chat_routes()", options, runtime_options, protocol, version)
    may_change = checked_editable("chat_routes()", db, editable)
    access = Access(db, owner, llm, per_chat, create_on_first_message, may_change)
    pages = Pages(db, access, protocol, version, max_body, heartbeat, shutdown_grace)
    return [
        Route(f"{prefix}{spec.path}" or "/", spec.endpoint(pages), methods=[spec.method])
        for spec in ROUTES
    ]


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """A route, wherever it is mounted. `path` stands behind the prefix."""

    name: str
    method: str
    path: str
    handler: Callable[[Pages, Request], Awaitable[Response]]

    def endpoint(self, pages: Pages) -> Endpoint:
        """The handler of these pages, whose errors become responses for clients."""

        async def answered(request: Request) -> Response:
            signals.watch()
            try:
                return await self.handler(pages, request)
            except Exception as error:  # what it says is for the application's log, and no client
                problem = problem_of(error)
                if problem is UNKNOWN:
                    log.exception("Request failed: %s", type(error).__name__)
                else:
                    log.info("Request rejected: %s", type(error).__name__)
                return problem.response()

        return answered


ROUTES = (
    RouteSpec("list_chats", "GET", "", Pages.list),
    RouteSpec("ask", "POST", "", Pages.send),
    RouteSpec("create_chat", "POST", "/new", Pages.new),
    RouteSpec("search_messages", "GET", "/search", Pages.search),
    RouteSpec("list_deleted_chats", "GET", "/deleted", Pages.deleted),
    RouteSpec("read_chat", "GET", "/{id}", Pages.read),
    RouteSpec("update_chat", "PATCH", "/{id}", Pages.update),
    RouteSpec("delete_chat", "DELETE", "/{id}", Pages.delete),
    RouteSpec("undelete_chat", "POST", "/{id}/undelete", Pages.undelete),
    RouteSpec("follow_answer", "GET", "/{id}/stream", Pages.live),
    RouteSpec("stop_answer", "POST", "/{id}/stop", Pages.stop),
    RouteSpec("resume_answer", "POST", "/{id}/resume", Pages.resume),
    RouteSpec("approve_tool_call", "POST", "/{id}/approve", Pages.approve),
    RouteSpec("deny_tool_call", "POST", "/{id}/deny", Pages.deny),
    RouteSpec("give_feedback", "POST", "/{id}/feedback", Pages.rate),
    RouteSpec("list_branches", "GET", "/{id}/branches", Pages.branches),
    RouteSpec("restore_branch", "POST", "/{id}/restore", Pages.restore),
    RouteSpec("fork_chat", "POST", "/{id}/fork", Pages.fork),
    RouteSpec("read_file", "GET", "/{id}/files/{hash}", Pages.file),
)
"""All routes. The names are those of the operations in an OpenAPI document."""


def checked_options(
    caller: str,
    options: PerRequest | None,
    runtime_options: dict[str, object],
    protocol: str,
    version: int,
) -> RuntimeOptions | PerRequest:
    """The options of every chat, or the function that returns them. Raises what is wrong."""
    if options is not None and runtime_options:
        msg = f"{caller} takes options= or the options themselves, not both"
        raise TypeError(msg)
    if protocol not in get_args(Protocol) or version not in get_args(Version):
        msg = f"{caller} takes protocol={PROTOCOLS}, and version=5, 6 or 7 of the AI SDK"
        raise ValueError(msg)
    check_names(runtime_options, caller)
    chosen = cast(RuntimeOptions, runtime_options)
    check_options(chosen)
    return chosen if options is None else options
