"""What the page asks the server for, one method for each route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatrecord.chats import opening as chats
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import AttachmentNotFound, RunNotFound
from chatrecord.runs.feed import Feed
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.text.arguments import checked_id
from chatrecord.transfer.chats import export_chat
from chatrecord.web.downloads import downloaded
from chatrecord.web.json_bytes import JSON, as_bytes
from chatrecord.web.protocols.encoder import Opening
from chatrecord.web.protocols.sse import SSEEncoder
from chatrecord.web.shutdown import Shutdown
from chatrecord.web.streams import streamed

from .access import Access
from .assets import asset
from .figures import usage_json
from .found_chats import chats_json
from .found_feedback import feedback_json
from .found_requests import requests_json
from .found_texts import texts_json
from .plain_values import plain
from .trace import trace_json

_SHUTDOWN_GRACE = 1.0


@dataclass(frozen=True, slots=True)
class Pages:
    """The endpoints."""

    backend: Backend
    access: Access
    without_models: tuple[str, ...]
    heartbeat: float

    async def index(self, request: Request) -> Response:
        """The page itself."""
        await self.access.scope(request)
        return asset(request, "index.html")

    async def asset(self, request: Request) -> Response:
        """A script or a style sheet of the page."""
        await self.access.scope(request)
        return asset(request, request.path_params["name"])

    async def about(self, request: Request) -> Response:
        """What the page can ask for."""
        scope = await self.access.scope(request)
        columns = list(self.backend.store.chat_columns())
        has_feedback = self.backend.store.keeps_feedback
        return JSON({"columns": columns, "scope": plain(scope), "feedback": has_feedback})

    async def usage(self, request: Request) -> Response:
        """Figures in groups."""
        scope = await self.access.narrowed(request)
        return JSON(await usage_json(self.access, request, scope, self.without_models))

    async def requests(self, request: Request) -> Response:
        """Requests: the latest, the slowest, the dearest."""
        scope = await self.access.narrowed(request)
        return JSON(await requests_json(self.access, request, scope))

    async def chats(self, request: Request) -> Response:
        """Chats that pass a filter."""
        scope = await self.access.narrowed(request)
        return JSON(await chats_json(self.access, request, scope))

    async def feedback(self, request: Request) -> Response:
        """What people think of answers."""
        scope = await self.access.narrowed(request)
        return JSON(await feedback_json(self.access, request, scope))

    async def texts(self, request: Request) -> Response:
        """What was said about something."""
        scope = await self.access.narrowed(request)
        return JSON(await texts_json(self.access, request, scope))

    async def chat(self, request: Request) -> Response:
        """One chat with a page of its messages and all that belongs to them."""
        chat = await self.access.chat(request)
        await chats.repair(self.backend, chats=[chat.id])
        return JSON(await trace_json(self.access, request, chat))

    async def live(self, request: Request) -> Response:
        """An answer as it streams."""
        chat = await self.access.chat(request)
        run_id = checked_id(request.path_params["run"])
        run = None if run_id is None else await self.backend.store.get_run(chat.id, run_id)
        if run is None:
            msg = f"There is no such run in chat {chat.id}"
            raise RunNotFound(msg)
        followed = chats.follow_run(self.backend, run)

        async def begin() -> Feed:
            return followed

        return streamed(
            ChatStream(begin, "continue"),
            Opening(chat.id, run.id, None, run.started_at),
            SSEEncoder(),
            heartbeat=self.heartbeat,
            shutdown=Shutdown(self.backend, run.id, _SHUTDOWN_GRACE),
            title=_no_title,
        )

    async def export(self, request: Request) -> Response:
        """The chat as the library exports it, to be saved."""
        chat = await self.access.chat(request)
        scope = await self.access.scope(request)
        headers = {
            "content-type": "application/x-ndjson",
            "content-disposition": f'attachment; filename="chat-{chat.id}.jsonl"',
        }
        return StreamingResponse(self._lines(str(chat.id), scope), headers=headers)

    async def _lines(self, chat_id: str, scope: Scope) -> AsyncIterator[bytes]:
        async with aclosing(export_chat(self.backend, chat_id, scope)) as lines:
            async for line in lines:
                yield as_bytes(f"{line}\n")

    async def file(self, request: Request) -> Response:
        """A file of the chat."""
        chat = await self.access.chat(request)
        file_hash = request.path_params["hash"]
        found = await self.backend.store.attachment(chat.id, file_hash)
        if found is None:
            msg = f"There is no such file in chat {chat.id}"
            raise AttachmentNotFound(msg)
        return downloaded(found)


async def _no_title() -> None:
    """What the dashboard follows is named elsewhere."""
