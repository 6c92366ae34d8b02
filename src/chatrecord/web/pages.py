"""What a page of chats asks the server for, one method for each route."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, get_args

from starlette.requests import Request
from starlette.responses import Response

from chatrecord.chats import deletion, searching
from chatrecord.chats import opening as chats
from chatrecord.chats.branches import Branch
from chatrecord.chats.chat import Chat
from chatrecord.chats.opening import NewChat
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import ChatNotFound, DatabaseFailed
from chatrecord.feedback import LONGEST_COMMENT
from chatrecord.records import ChatRecord, Json, Run
from chatrecord.runs.process import Backend
from chatrecord.web.protocols.ag_ui import AGUIEncoder, is_run_input, parse_run_input
from chatrecord.web.protocols.ag_ui_messages import read_ag_ui_page
from chatrecord.web.protocols.ai_sdk import AISDKEncoder, Version
from chatrecord.web.protocols.encoder import Encoder, Opening
from chatrecord.web.protocols.pending import with_pending
from chatrecord.web.protocols.sse import SSEEncoder
from chatrecord.web.protocols.ui_messages import Page, read_page

from .bodies import invalid, json_of, needed_id, optional_text
from .client_messages import ClientMessage, is_first, metadata_of, parse_client_message
from .client_versions import ag_ui_release, ai_sdk_release, ai_sdk_version
from .dispatch import Dispatcher
from .downloads import downloaded
from .error_responses import BadRequest
from .feedback import feedback_json, rater, rating_in, show_feedback
from .json_bytes import JSON
from .ownership import Access
from .query_parameters import cursor_of, number, place_of, search
from .questions import Questions
from .searching import hit_of, hits_json, query_in
from .shutdown import Shutdown
from .streams import streamed
from .titles import title_to_come
from .updates import changes_in, title_in

log = logging.getLogger("chatrecord")

Protocol: TypeAlias = Literal["ai-sdk", "ag-ui", "sse"]
"""What the streams speak: to `useChat`, to AG-UI clients, or to anything that reads events."""

PROTOCOLS = " or ".join(get_args(Protocol))

LARGEST_PAGE = 100


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
        new = NewChat(None, title_in(body), self._metadata(body), scope)
        llm, options = await self.access.llm_and_options(request, scope)
        chat = await chats.create_chat(self.backend, llm, new, options, None)
        return JSON(chat_json(chat.record), 201)

    def _metadata(self, body: dict[str, object]) -> dict[str, Json]:
        try:
            return self.backend.runtime.metadata_type.stored(metadata_of(body))
        except ValueError as error:
            log.info("Metadata was refused: %s", error)
            raise invalid("'metadata' is not what this application keeps.") from error

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

    async def search(self, request: Request) -> Response:
        """What was said in their chats, the best hits first."""
        scope = await self.access.scope(request)
        limit = number(request, "limit", 20, most=LARGEST_PAGE)
        after = request.query_params.get("after")
        found = await searching.search_messages(
            self.backend,
            query_in(request),
            limit=limit,
            after=None if after is None else hit_of(after),
            superseded=False,
            scope=scope,
        )
        return JSON(hits_json(found, limit))

    async def read(self, request: Request) -> Response:
        """A chat with its last messages."""
        chat = await self._chat(request)
        dispatcher = Dispatcher(self.backend, chat)
        pending = await dispatcher.pending()
        active, page = await self._page(request, chat, pending)
        waiting = await dispatcher.waiting()
        active = active or next(iter(pending), None)
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

    async def _page(
        self, request: Request, chat: Chat, pending: Sequence[Run]
    ) -> tuple[Run | None, Page]:
        """The run that is active, and messages that are of the same moment."""
        limit = number(request, "limit", 50, most=LARGEST_PAGE)
        value = request.query_params.get("before")
        before = None if value is None else number(request, "before", 0)
        files = f"{request.url.path}/files"
        is_ag_ui = self._protocol(request) == "ag-ui"
        read = read_ag_ui_page if is_ag_ui else partial(read_page, version=self._version(request))
        scope, active = await self.access.scope(request), await chat.active_run()
        while True:
            store = self.backend.store.shown if active is None else self.backend.store
            page = await read(store, chat.id, active, limit=limit, before=before, files=files)
            then, active = active, await chat.active_run()
            if (then and then.id) == (active and active.id):
                await show_feedback(self.backend, chat.id, page.messages, rater(scope))
                if before is None:  # they come after all messages
                    page = with_pending(page, pending, files, is_ag_ui=is_ag_ui)
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
        return JSON({"stopped": await Dispatcher(self.backend, chat).stopped()})

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

    async def rate(self, request: Request) -> Response:
        """Keep what the signed-in user thinks of an answer, or forget it."""
        scope = await self.access.scope(request)
        chat = await self._chat(request)
        body = await self._body(request)
        named = await self._message_id(chat, needed_id(body, "messageId"))
        comment = optional_text(body, "comment", longest=LONGEST_COMMENT)
        if body.get("value") is None:
            await chat.withdraw_feedback(named, owner=rater(scope))
            return JSON({"feedback": None})
        value = rating_in(body)
        given = await chat.give_feedback(named, value, comment=comment, owner=rater(scope))
        return JSON({"feedback": feedback_json(given)})

    async def branches(self, request: Request) -> Response:
        """The versions of a question or answer."""
        chat = await self._chat(request)
        named = request.query_params.get("message", "")
        found = await chat.branches(await self._message_id(chat, named))
        return JSON({"branches": [branch_json(branch) for branch in found]})

    async def restore(self, request: Request) -> Response:
        """Go back to an earlier version."""
        chat = await self._chat(request)
        named = needed_id(await self._body(request), "messageId")
        await chat.restore(await self._message_id(chat, named))
        return Response(status_code=204)

    async def fork(self, request: Request) -> Response:
        """Copy a chat, up to a message."""
        chat = await self._chat(request)
        body = await self._body(request)
        named = needed_id(body, "messageId") if "messageId" in body else None
        at = None if named is None else await self._message_id(chat, named)
        return JSON(chat_json((await chat.fork(at)).record), 201)

    async def _message_id(self, chat: Chat, named: str) -> str:
        return await Questions(self.backend, chat.id).id_of(named)

    async def update(self, request: Request) -> Response:
        """Change what a chat's owner may change of it."""
        scope = await self.access.scope(request)
        chat = await self._chat(request)
        changes = changes_in(await self._body(request), self.access.editable, scope)
        try:
            await chat.update(**changes)
        except (TypeError, ValueError) as error:
            log.info("An update was refused: %s", error)
            raise _no_value(changes) from error
        except DatabaseFailed as error:
            if not error.refused_value:
                raise
            log.info("An update was refused: %s", error)
            raise _no_value(changes) from error
        return JSON(chat_json(chat.record))

    async def delete(self, request: Request) -> Response:
        """Delete a chat."""
        scope = await self.access.scope(request)
        found = await self.access.find(request.path_params["id"], scope)
        await deletion.delete_chat(self.backend, found, scope, "delete", None)
        return Response(status_code=204)

    async def deleted(self, request: Request) -> Response:
        """Their chats that were deleted and can be restored."""
        scope = await self.access.scope(request)
        limit = number(request, "limit", 20, most=LARGEST_PAGE)
        found = await deletion.list_deleted_chats(self.backend, limit=limit, scope=scope)
        return JSON({"chats": [chat_json(chat) for chat in found]})

    async def undelete(self, request: Request) -> Response:
        """Restore a chat that was deleted for a time."""
        chat = await self.access.restored(request, request.path_params["id"])
        return JSON(chat_json(chat))

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
        untitled = chat if chat.title is None else None
        stream, opening = await Dispatcher(self.backend, chat).answer(message)
        opening = replace(opening, files=_files_of(request, chat))
        return self._streamed(stream, opening, encoder, untitled)

    def _streamed(
        self,
        stream: ChatStream,
        opening: Opening,
        encoder: Encoder,
        untitled: Chat | None = None,
    ) -> Response:
        shutdown = Shutdown(self.backend, opening.run_id, self.shutdown_grace)
        title = title_to_come(self.backend, opening.chat_id, untitled)
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
            raise BadRequest(400, "unknown_protocol", f"x-chat-protocol is {PROTOCOLS}.")
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
        "metadata": dict(chat.metadata),
    }


def branch_json(branch: Branch) -> dict[str, Json]:
    """A version as clients get it."""
    return {
        "id": str(branch.message.id),
        "text": branch.message.text,
        "createdAt": branch.message.created_at.isoformat(),
        "isCurrent": branch.is_current,
    }


def _no_value(changes: Iterable[str]) -> BadRequest:
    return invalid(f"Not a value of {' or '.join(map(repr, changes))}.")


def _files_of(request: Request, chat: Chat) -> str:
    """The address below which the files of the chat are."""
    path = request.url.path
    base = path.rpartition("/")[0] if "id" in request.path_params else f"{path}/{chat.id}"
    return f"{base}/files"


def _sends_whole_lists(request: Request) -> bool:
    """Whether the client says that its list of messages is all that the chat shows."""
    return request.headers.get("x-chat-messages", "").strip().lower() == "whole"
