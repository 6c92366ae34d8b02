"""Chats in a database of your own, by way of SQLAlchemy."""

from .chats import create_chat, delete_chat, list_chats, load_chat, purge, usage
from .database import Database
from .encryption import Keys
from .findings import Finding
from .models import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
)
from .moving import export_chat, import_chat, import_history
from .rotation import rotate

__all__ = [
    "AttachmentMixin",
    "ChatMixin",
    "ChunkMixin",
    "Database",
    "Finding",
    "Keys",
    "MessageMixin",
    "Models",
    "RequestMixin",
    "RunMixin",
    "ToolCallMixin",
    "create_chat",
    "delete_chat",
    "export_chat",
    "import_chat",
    "import_history",
    "list_chats",
    "load_chat",
    "purge",
    "rotate",
    "usage",
]
