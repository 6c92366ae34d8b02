"""One chat as a trace, for the page: its messages, and the runs that wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request

from chatrecord.chats.lookups import list_requests
from chatrecord.errors import ConfigurationError
from chatrecord.records import ChatRecord, Json, Message
from chatrecord.store.lookup_store import RequestFilter
from chatrecord.web.json_bytes import text_of
from chatrecord.web.query_parameters import number

from .access import Access
from .found_chats import names_of
from .plain_values import object_of, plain

PAGE = 60
"""Messages that are shown at once."""

LONGEST_CONTENT = 50_000
"""Characters of a message in the LLM library's own form that are shown."""

_MOST_SIDE_REQUESTS = 50


async def trace_json(access: Access, request: Request, chat: ChatRecord) -> dict[str, Json]:
    """The last messages before a number, with their runs, tool calls and requests."""
    store = access.backend.store
    before = number(request, "before", 0) if "before" in request.query_params else None
    shown_rows = store.shown
    messages = await shown_rows.messages(chat.id, limit=PAGE, before=before)
    runs = {message.run_id for message in messages if message.run_id is not None}
    active = await store.active_run(chat.id)
    if active is not None and before is None:
        runs.add(active.id)
    rows = await shown_rows.rows_of_runs(chat.id, runs)
    shown: dict[str, Json] = {
        "messages": [_message(message) for message in messages],
        "runs": [object_of(run) for run in rows.runs],
        "tool_calls": [object_of(call) for call in rows.tool_calls],
        "requests": [object_of(it) for it in rows.requests],
        "feedback": await _feedback(access, chat, messages),
        "next": messages[0].seq if len(messages) == PAGE else None,
    }
    if before is None:
        shown |= {
            "chat": object_of(chat),
            "names": await names_of(access, [chat]),
            "usage": await _usage(access, chat),
            "summaries": [_message(it) for it in await shown_rows.summaries(chat.id)],
            "side_requests": await _side_requests(access, chat),
            "live": str(active.id) if active is not None and active.status == "running" else None,
        }
    return shown


async def _feedback(access: Access, chat: ChatRecord, messages: Sequence[Message]) -> list[Json]:
    runs = {message.run_id for message in messages}
    return [object_of(it) for it in await access.backend.store.feedback_of_chat(chat.id, runs)]


def _message(message: Message) -> Json:
    shown = object_of(replace(message, content=None))
    content = plain(message.content)
    if len(text_of(content)) > LONGEST_CONTENT:
        content = f"Longer than {LONGEST_CONTENT:,} characters: it is in the export"
    return {**shown, "content": content, "attachments": [plain(it) for it in message.attachments]}


async def _usage(access: Access, chat: ChatRecord) -> Json:
    try:
        return plain(await access.backend.store.usage(chat.id))
    except ConfigurationError:  # requests are not kept
        return None


async def _side_requests(access: Access, chat: ChatRecord) -> list[Json]:
    """The requests that no run has made, such as for a title, oldest first."""
    where = RequestFilter(chat_id=chat.id, outside_runs=True)
    try:
        found = await list_requests(
            access.backend,
            where,
            order_by="started_at",
            limit=_MOST_SIDE_REQUESTS,
            before=None,
            scope={},
        )
    except ConfigurationError:
        return []
    return [object_of(it) for it in reversed(found)]
