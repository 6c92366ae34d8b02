"""Chats in a database of your own, by way of SQLAlchemy."""

from chatrecord.chats.search_hits import SearchHit, Snippet
from chatrecord.spending.prices import TokenPrices
from chatrecord.sqlalchemy.doctor.findings import Finding
from chatrecord.sqlalchemy.models.encryption import Keys
from chatrecord.sqlalchemy.models.event_mixins import EventMixin, EventReaderMixin
from chatrecord.sqlalchemy.models.mixins import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    FeedbackMixin,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
)
from chatrecord.sqlalchemy.models.usage_day_mixin import UsageDayMixin
from chatrecord.sqlalchemy.store.key_rotation import rotate
from chatrecord.store.lookup_store import ChatFilter

from .chats import create_chat, delete_chat, list_chats, load_chat, purge, usage
from .database import Database
from .export_import import export_chat, import_chat, import_history
from .feedback import feedback_report, list_feedback
from .owners import erase_owner, export_owner, list_deleted_chats, restore_chat
from .requests import list_requests
from .runs import count_runs, list_runs
from .search import search_messages

__all__ = [
    "AttachmentMixin",
    "ChatFilter",
    "ChatMixin",
    "ChunkMixin",
    "Database",
    "EventMixin",
    "EventReaderMixin",
    "FeedbackMixin",
    "Finding",
    "Keys",
    "MessageMixin",
    "Models",
    "RequestMixin",
    "RunMixin",
    "SearchHit",
    "Snippet",
    "TokenPrices",
    "ToolCallMixin",
    "UsageDayMixin",
    "count_runs",
    "create_chat",
    "delete_chat",
    "erase_owner",
    "export_chat",
    "export_owner",
    "feedback_report",
    "import_chat",
    "import_history",
    "list_chats",
    "list_deleted_chats",
    "list_feedback",
    "list_requests",
    "list_runs",
    "load_chat",
    "purge",
    "restore_chat",
    "rotate",
    "search_messages",
    "usage",
]
