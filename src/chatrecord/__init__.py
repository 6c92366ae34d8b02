"""ActiveRecord conventions for LLM chats.

    from chatrecord.sqlalchemy import Database, create_chat, load_chat

What applications write every day is here, whatever the database. Errors are in `chatrecord.errors`,
other records in `chatrecord.records`, hooks in `chatrecord.hooks`, stores for files in
`chatrecord.attachments`.
"""

from importlib.metadata import version

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
