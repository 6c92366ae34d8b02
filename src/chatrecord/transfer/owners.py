"""Everything of one owner, as a folder of exported chats."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

from chatrecord.records import ChatRecord
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope

from .chats import lines_of_chat
from .lines import chat_line

_BATCH = 100
"""Chats that are read at a time."""

_OPEN = frozenset(("waiting", "queued", "running", "parked"))
"""The statuses of runs that are still to change."""


async def export_owner(backend: Backend, to: str | os.PathLike[str], scope: Scope) -> int:
    """Write every chat within the scope to a file of this folder. Returns how many there are."""
    folder, exported = _folder(to), 0
    async with aclosing(_chats(backend, scope)) as chats:
        async for chat in chats:
            exported += await _export(backend, folder, chat, scope)
    return exported


def _folder(to: str | os.PathLike[str]) -> Path:
    folder = Path(to)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _chats(backend: Backend, scope: Scope) -> AsyncGenerator[ChatRecord]:
    last: UUID | None = None
    while page := await backend.store.every_chat(scope, after=last, limit=_BATCH):
        for chat in page:
            yield chat
        last = page[-1].id


async def _export(backend: Backend, folder: Path, chat: ChatRecord, scope: Scope) -> bool:
    """Whether the chat is there still. Its file has its name once it is whole."""
    path = folder / f"{chat.id}.jsonl"
    if _is_current(path, chat):
        return True
    beginning = path.with_suffix(".part")
    lines = 0
    with beginning.open("w", encoding="ascii", newline="\n") as file:
        async with aclosing(lines_of_chat(backend, chat.id, scope)) as found:
            async for line in found:
                file.write(line + "\n")
                lines += 1
    if not lines:  # deleted meanwhile
        beginning.unlink()
        return False
    beginning.replace(path)
    return True


def _is_current(path: Path, chat: ChatRecord) -> bool:
    """Whether an earlier export has written this chat as it is now, and nothing was under way."""
    if not path.exists():
        return False
    with path.open(encoding="ascii") as file:
        next(file, "")
        if next(file, "").rstrip("\n") != chat_line(chat):
            return False
        for line in file:
            row = json.loads(line)
            if row["kind"] == "run" and row["status"] in _OPEN:
                return False
            if row["kind"] == "request" and row["status"] == "running":
                return False
    return True
