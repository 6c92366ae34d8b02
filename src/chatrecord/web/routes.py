"""The routes of chats, for Starlette and FastAPI."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.opening import NewChat
from chatrecord.chats.options import RuntimeOptions, check_options
from chatrecord.chats.stream import ChatStream
from chatrecord.chats.titles import LONGEST_TITLE
from chatrecord.errors import ChatNotFound
from chatrecord.records import ChatRecord, Json, Run
from chatrecord.runs.process import Backend
from chatrecord.web.protocols.ag_ui import AGUIEncoder, is_run_input, parse_run_input
from chatrecord.web.protocols.ag_ui_messages import read_ag_ui_page
from chatrecord.web.protocols.ai_sdk import AISDKEncoder, Version
from chatrecord.web.protocols.encoder import Encoder, Opening
from chatrecord.web.protocols.sse import SSEEncoder
from chatrecord.web.protocols.ui_messages import Page, read_page

from .bodies import invalid, json_of, needed_id, optional_text
from .client_messages import ClientMessage, is_first, metadata_of, parse_client_message
from .client_versions import ag_ui_release, ai_sdk_release, ai_sdk_version
from .dispatch import Dispatcher
from .downloads import downloaded
from .error_responses import UNKNOWN, BadRequest, problem_of
from .json_bytes import JSON
from .ownership import Access, Owner, PerRequest, check_names
from .query_parameters import cursor_of, number, place_of, search
from .shutdown import Shutdown, signals
from .streams import streamed
from .titles import new_title

log = logging.getLogger("chatrecord")

Protocol: TypeAlias = Literal["ai-sdk", "ag-ui", "sse"]
"""What the streams speak: to `useChat`, to AG-UI clients, or to anything that reads events."""

_PROTOCOLS = " or ".join(get_args(Protocol))

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

LARGEST_PAGE = 100


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
    the scope of who asks. `max_body` is in bytes, `heartbeat` in seconds. `shutdown_grace` are the
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
    if options is not None and runtime_options:
        msg = "chat_routes() takes options= or the options themselves, not both"
        raise TypeError(msg)
    if protocol not in get_args(Protocol) or version not in get_args(Version):
        msg = f"chat_routes() takes protocol={_PROTOCOLS}, and version=5, 6 or 7 of the AI SDK"
        raise ValueError(msg)
    check_names(runtime_options)
    chosen = cast(RuntimeOptions, runtime_options)
    check_options(chosen)
    per_chat = chosen if options is None else options
    access = Access(db, owner, llm, per_chat, create_on_first_message)
    pages = Pages(db, access, protocol, version, max_body, heartbeat, shutdown_grace)
    return [
        _route(prefix or "/", "GET", pages.list),
        _route(prefix or "/", "POST", pages.send),
        _route(f"{prefix}/new", "POST", pages.new),
        _route(f"{prefix}/{{id}}", "GET", pages.read),
        _route(f"{prefix}/{{id}}", "PATCH", pages.rename),
        _route(f"{prefix}/{{id}}", "DELETE", pages.delete),
        _route(f"{prefix}/{{id}}/stream", "GET", pages.live),
        _route(f"{prefix}/{{id}}/stop", "POST", pages.stop),
        _route(f"{prefix}/{{id}}/resume", "POST", pages.resume),
        _route(f"{prefix}/{{id}}/approve", "POST", pages.approve),
        _route(f"{prefix}/{{id}}/deny", "POST", pages.deny),
        _route(f"{prefix}/{{id}}/files/{{hash}}", "GET", pages.file),
    ]


def _route(path: str, method: str, endpoint: Endpoint) -> Route:
    return Route(path, _with_error_responses(endpoint), methods=[method])


def _with_error_responses(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose errors become responses for clients."""

    async def answered(request: Request) -> Response:
        signals.watch()
        try:
            return await endpoint(request)
        except Exception as error:  # what it says is for the application's log, and no client
            problem = problem_of(error)
            if problem is UNKNOWN:
                log.exception("Request failed: %s", type(error).__name__)
            else:
                log.info("Request rejected: %s", type(error).__name__)
            return problem.response()

    return answered


@dataclass(frozen=True, slots=True)
class Pages:
    """The endpoints."""

    backend: Backend
    access: Access
    protocol: Protocol
    version: Version
    max_body: int
    heartbeat: float
    shutdown_grace: float

    async def new(self, request: Request) -> Response:
        """Create a chat."""
        scope = await self.access.scope(request)
        body = await self._body(request)
        new = NewChat(None, _title(body), metadata_of(body) or {}, scope)
        llm, options = await self.access.llm_and_options(request, scope)
        chat = await chats.create_chat(self.backend, llm, new, options, None)
        return JSON(chat_json(chat.record), 201)

    async def list(self, request: Request) -> Response:
        """A page of chats, newest activity first."""
        scope = await self.access.scope(request)
        limit = number(request, "limit", 20, most=LARGEST_PAGE)
        before = request.query_params.get("before")
        found = await chats.list_chats(
            self.backend,
            limit=limit,
            before=None if before is None else place_of(before),
            scope=scope,
            search=search(request),
        )
        following = cursor_of(found[-1]) if len(found) == limit else None
        return JSON({"chats": [chat_json(chat) for chat in found], "next": following})

    async def read(self, request: Request) -> Response:
        """A chat with its last messages."""
        chat = await self._chat(request)
        active, page = await self._page(request, chat)
        waiting = await Dispatcher(self.backend, chat).waiting()
        is_live = active is not None and active.status != "parked"
        return JSON(
            {
                "chat": chat_json(chat.record),
                "messages": page.messages,
                "next": page.next,
                "pendingApprovals": [
                    {"callId": call_id, "name": call.name, "arguments": call.arguments}
                    for call_id, call in waiting.items()
                ],
                "activeRun": {"id": str(active.id)} if active is not None and is_live else None,
            }
        )

    async def _page(self, request: Request, chat: Chat) -> tuple[Run | None, Page]:
        """The run that is active, and messages that are of the same moment."""
        limit = number(request, "limit", 50, most=LARGEST_PAGE)
        value = request.query_params.get("before")
        before = None if value is None else number(request, "before", 0)
        files = f"{request.url.path}/files"
        is_ag_ui = self._protocol(request) == "ag-ui"
        read = read_ag_ui_page if is_ag_ui else partial(read_page, version=self._version(request))
        store, active = self.backend.store, await chat.active_run()
        while True:
            page = await read(store, chat.id, active, limit=limit, before=before, files=files)
            then, active = active, await chat.active_run()
            if (then and then.id) == (active and active.id):
                return active, page

    async def send(self, request: Request) -> Response:
        """Answer what a page asks."""
        await self.access.scope(request)  # without a signed-in user, no body is read
        body = await self._body(request)
        is_whole = _sends_whole_lists(request)
        if is_run_input(body):
            thread_id, run_id = needed_id(body, "threadId"), needed_id(body, "runId")
            encoder: Encoder = AGUIEncoder(run_id, thread_id, release=ag_ui_release(body))
            message = partial(parse_run_input, body, is_whole=is_whole)
            return await self._answered(request, thread_id, message, encoder)
        message = partial(parse_client_message, body, is_whole=is_whole)
        chat_id = needed_id(body, "id")
        return await self._answered(request, chat_id, message, self._encoder(request))

    async def live(self, request: Request) -> Response:
        """The answer that is being given, from its beginning; 204 where there is none."""
        chat = await self._chat(request)
        live = await Dispatcher(self.backend, chat).live()
        if live is None:
            return Response(status_code=204)
        stream, opening = live
        opening = replace(opening, files=_files_of(request, chat))
        return self._streamed(stream, opening, self._encoder(request))

    async def resume(self, request: Request) -> Response:
        """Continue the last answer."""
        chat = await self._chat(request)
        stream, opening = await Dispatcher(self.backend, chat).resumed()
        opening = replace(opening, files=_files_of(request, chat))
        return self._streamed(stream, opening, self._encoder(request))

    async def stop(self, request: Request) -> Response:
        """Stop the answer that is being given."""
        chat = await self._chat(request)
        return JSON({"stopped": await chat.stop()})

    async def approve(self, request: Request) -> Response:
        """Let a tool call run."""
        chat = await self._chat(request)
        body = await self._body(request)
        await chat.approve(await self._call_id(chat, needed_id(body, "callId")))
        return await self._waiting(chat)

    async def deny(self, request: Request) -> Response:
        """Do not let a tool call run."""
        chat = await self._chat(request)
        body = await self._body(request)
        reason = optional_text(body, "reason", longest=2_000)
        call_id = await self._call_id(chat, needed_id(body, "callId"))
        await chat.deny(call_id, reason=reason)
        return await self._waiting(chat)

    async def file(self, request: Request) -> Response:
        """A file of the chat."""
        chat = await self._chat(request)
        return downloaded(await chat.attachment(request.path_params["hash"]))

    async def rename(self, request: Request) -> Response:
        """Give a chat a title."""
        chat = await self._chat(request)
        body = await self._body(request)
        if "title" not in body:
            raise invalid("'title' is missing: a text, or null.")
        await chat.rename(_title(body))
        return JSON(chat_json(chat.record))

    async def delete(self, request: Request) -> Response:
        """Delete a chat."""
        scope = await self.access.scope(request)
        found = await self.access.find(request.path_params["id"], scope)
        await chats.delete_chat(self.backend, found, scope)
        return Response(status_code=204)

    async def _answered(
        self, request: Request, chat_id: str, parsed: Callable[[], ClientMessage], encoder: Encoder
    ) -> Response:
        try:
            chat = await self.access.chat(request, chat_id)
            message = parsed()
        except ChatNotFound:
            if not self.access.creates or not is_first(message := parsed()):
                raise
            chat = await self.access.new_chat(request, chat_id)
        stream, opening = await Dispatcher(self.backend, chat).answer(message)
        opening = replace(opening, files=_files_of(request, chat))
        return self._streamed(stream, opening, encoder)

    def _streamed(self, stream: ChatStream, opening: Opening, encoder: Encoder) -> Response:
        shutdown = Shutdown(self.backend, opening.run_id, self.shutdown_grace)
        title = partial(new_title, self.backend, opening.chat_id)
        return streamed(
            stream, opening, encoder, heartbeat=self.heartbeat, shutdown=shutdown, title=title
        )

    async def _waiting(self, chat: Chat) -> Response:
        waiting = await Dispatcher(self.backend, chat).waiting()
        return JSON({"pendingApprovals": [{"callId": call_id} for call_id in waiting]})

    async def _call_id(self, chat: Chat, on_wire: str) -> str:
        """The model's id of a call, by what clients call it."""
        waiting = await Dispatcher(self.backend, chat).waiting()
        return waiting[on_wire].call_id if on_wire in waiting else on_wire

    async def _chat(self, request: Request) -> Chat:
        return await self.access.chat(request, request.path_params["id"])

    async def _body(self, request: Request) -> dict[str, object]:
        return await json_of(request, limit=self.max_body)

    def _version(self, request: Request) -> Version:
        return ai_sdk_version(request, self.version)

    def _protocol(self, request: Request) -> str:
        protocol = request.headers.get("x-chat-protocol", self.protocol)
        if protocol not in get_args(Protocol):
            raise BadRequest(400, "unknown_protocol", f"x-chat-protocol is {_PROTOCOLS}.")
        return protocol

    def _encoder(self, request: Request) -> Encoder:
        protocol = self._protocol(request)
        if protocol == "ag-ui":
            return AGUIEncoder(thread_id=request.path_params.get("id"))
        if protocol == "sse":
            return SSEEncoder()
        return AISDKEncoder(self._version(request), release=ai_sdk_release(request))


def chat_json(chat: ChatRecord) -> dict[str, Json]:
    """A chat as clients get it: none of its columns."""
    return {
        "id": str(chat.id),
        "title": chat.title,
        "createdAt": chat.created_at.isoformat(),
        "updatedAt": chat.updated_at.isoformat(),
        "metadata": chat.metadata,
    }


def _files_of(request: Request, chat: Chat) -> str:
    """The address below which the files of the chat are."""
    path = request.url.path
    base = path.rpartition("/")[0] if "id" in request.path_params else f"{path}/{chat.id}"
    return f"{base}/files"


def _sends_whole_lists(request: Request) -> bool:
    """Whether the client says that its list of messages is all that the chat shows."""
    return request.headers.get("x-chat-messages", "").strip().lower() == "whole"


def _title(body: dict[str, object]) -> str | None:
    title = optional_text(body, "title", longest=LONGEST_TITLE)
    if title is not None and not title.strip():
        raise invalid("'title' is blank.")
    return title
