"""Ids of chats that clients make themselves, such as `useChat` and AG-UI clients do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

LONGEST_ID = 255
"""Characters of a client's id of a chat."""


def chat_id_for(client_id: str, scope: Mapping[str, object]) -> UUID | None:
    """The id of the chat that a client calls so; `None` for what no client calls a chat.

    It depends on the owner, so that nobody finds the chat of another, or takes its id away: two
    owners whose clients make the same id have two chats. It is the same in every process.
    """
    if not client_id or len(client_id) > LONGEST_ID or not client_id.isprintable():
        return None
    owner = sorted((name, type(value).__name__, str(value)) for name, value in scope.items())
    named = json.dumps([owner, client_id])
    # Version 5 means "made of a name". MariaDB's UUID column refuses some values of version 8.
    return UUID(bytes=sha256(named.encode("utf-8", "surrogatepass")).digest()[:16], version=5)
