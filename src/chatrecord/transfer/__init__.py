"""Chats as lines of JSON: out of one database, and into any other."""

from .chats import export_chat, import_chat
from .reading import Lines

__all__ = ["Lines", "export_chat", "import_chat"]
