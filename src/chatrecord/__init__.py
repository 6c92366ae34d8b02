"""ActiveRecord conventions for LLM chats.

    from chatrecord.sqlalchemy import Database, create_chat, load_chat

What applications write every day is here, whatever the database. Errors are in `chatrecord.errors`,
other records in `chatrecord.records`, hooks in `chatrecord.hooks`, stores for files in
`chatrecord.attachments`.
"""

import warnings
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from chatrecord.attachments.attachment import Attachment
from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.llm.tools import repeatable
from chatrecord.runs.compaction import Compact
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.store.window import Window

from .errors import ChatRecordError
from .records import Chunk, Message, Reply

__version__ = version("chatrecord")

__all__ = [
    "Attachment",
    "Budget",
    "Chat",
    "ChatRecordError",
    "ChatStream",
    "Chunk",
    "Compact",
    "Limits",
    "Message",
    "Reply",
    "Window",
    "repeatable",
]


if not TYPE_CHECKING:  # a type checker is to know the names above alone

    def __getattr__(name: str) -> object:
        """Names that were here before 0.1.0, with a warning that says where they are now."""
        for room in ("errors", "records", "attachments"):
            found = getattr(import_module(f"chatrecord.{room}"), name, None)
            if isinstance(found, type):
                warning = f"{name} has moved: from chatrecord.{room} import {name}"
                warnings.warn(warning, DeprecationWarning, stacklevel=2)
                return found
        msg = f"module 'chatrecord' has no attribute {name!r}"
        raise AttributeError(msg)
