"""`chatrecord show ID`: everything that is stored of a chat."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rich.table import Table

from chatrecord.records import ApiRequest, Attached, ChatRecord, Message, ToolCall, Usage

from . import figures
from .answer import call_line, cost_of, outcome_line, shortened, tokens_of
from .chats import model_of, title
from .database import Chats, existing_database
from .json_output import print_json
from .reference import chat_of
from .screen import DIM, Screen, as_it_is

_PAGE = 500
_ROLES = {"user": "bold cyan", "assistant": "bold green", "system": "bold"}
_STATUSES = {"failed": "red", "interrupted": "yellow", "streaming": "yellow", "running": "yellow"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A chat with all its rows."""

    chat: ChatRecord
    messages: Sequence[Message]
    tool_calls: Sequence[ToolCall]
    requests: Sequence[ApiRequest]
    usage: Usage


def run(arguments: Namespace) -> int:
    """Show the chat: its messages with their tool calls, its requests, and the totals."""
    stored = asyncio.run(_stored(arguments))
    if arguments.json:
        print_json(stored)
        return 0
    screen = Screen()
    _show_head(stored.chat, screen)
    calls: dict[UUID, list[ToolCall]] = defaultdict(list)
    for call in stored.tool_calls:
        calls[call.message_id].append(call)
    for message in stored.messages:
        show_message(message, calls[message.id], screen)
    _show_requests(stored.requests, screen)
    _show_totals(stored, screen)
    return 0


async def _stored(arguments: Namespace) -> Stored:
    async with existing_database(arguments.db) as db:
        chat = await chat_of(db, arguments.chat, arguments.user)
        calls = await db.store.tool_calls(chat.id)
        requests = await db.store.requests(chat.id)
        usage = await db.store.usage(chat.id)
        return Stored(chat, await _all_messages(db, chat.id), calls, requests, usage)


async def _all_messages(db: Chats, chat_id: UUID) -> list[Message]:
    found = page = await db.store.messages(chat_id, limit=_PAGE, before=None)
    while len(page) == _PAGE:
        page = await db.store.messages(chat_id, limit=_PAGE, before=page[0].seq)
        found = page + found
    return found


def show_message(message: Message, calls: Sequence[ToolCall], screen: Screen) -> None:
    """A message with its tool calls and their results."""
    # The results are shown with their calls; a message that has only results adds nothing.
    if message.role == "tool" and not message.text:
        return
    _line(screen, _heading(message))
    if message.reasoning:
        _line(screen, f"[{DIM} italic]", message.reasoning.strip())
    if message.text:
        # Only LLMs mean Markdown: what a person typed is shown as it was typed.
        say = screen.answer if message.role == "assistant" else screen.write
        say(message.text.rstrip("\n"))
        screen.end_line()
    for file in message.attachments:
        _line(screen, f"[{DIM}]", f"+ {_file_line(file)}")
    for call in calls:
        _line(screen, f"[{DIM}]", f"⚙ {call_line(call)}")
        _line(screen, f"[{DIM}]", f"  → {outcome_line(call)}")


def _file_line(file: Attached) -> str:
    size = None if file.size is None else f"{file.size:,} bytes"
    details = ", ".join(detail for detail in (file.media_type, size) if detail)
    return f"{file.url or file.name or 'a file'} ({details or 'kind unknown'})"


def _heading(message: Message) -> str:
    positions = [f"[{_ROLES.get(message.role, 'bold')}]{message.role}[/]"]
    if message.status != "complete":
        positions.append(_status(message.status))
    if message.finish_reason not in (None, "stop", "tool_call"):
        positions.append(f"[yellow]ended by {message.finish_reason}[/]")
    return "\n" + " · ".join(positions)


def _show_head(chat: ChatRecord, screen: Screen) -> None:
    _line(screen, "[bold]", title(chat) or "(no title)")
    _line(screen, f"[{DIM}]", str(chat.id))
    began = f"began {figures.moment(chat.created_at)}, active {figures.age(chat.updated_at)}"
    _line(screen, f"[{DIM}]", f"{model_of(chat)} · {began}")
    if chat.instructions:
        _line(screen, f"[{DIM}]", f"instructions: {shortened(chat.instructions, 300)}")


def _show_requests(requests: Sequence[ApiRequest], screen: Screen) -> None:
    if not requests:
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("#", "model", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("latency", "first", "in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, request in enumerate(requests, 1):
        table.add_row(str(number), *_cells(request))
    _line(screen)
    screen.out.print(table)
    for number, request in enumerate(requests, 1):
        if request.error:
            style = _STATUSES.get(request.status, "red")
            _line(screen, f"[{style}]", f"#{number} {shortened(request.error, 300)}")


def _cells(request: ApiRequest) -> tuple[str, ...]:
    status = _status(request.status)
    return (
        as_it_is(request.model or figures.UNKNOWN),
        f"{status} {request.http_status}" if request.http_status else status,
        figures.seconds(request.latency_ms),
        figures.seconds(request.first_token_ms),
        figures.count(request.tokens.input),
        figures.count(request.tokens.output),
        figures.money(request.cost),
    )


def _show_totals(stored: Stored, screen: Screen) -> None:
    usage = stored.usage
    parts = [
        _number(len(stored.messages), "message"),
        _number(len(stored.tool_calls), "tool call"),
        _number(usage.requests, "request"),
        tokens_of(usage),
        cost_of(usage),
    ]
    _line(screen)
    _line(screen, "[bold]", " · ".join(parts))


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _status(status: str) -> str:
    style = _STATUSES.get(status)
    return f"[{style}]{status}[/]" if style else status


def _line(screen: Screen, markup: str = "", text: str = "") -> None:
    """A line of our own markup, followed by text that is taken as it is."""
    screen.out.print(f"{markup}{as_it_is(text)}")
