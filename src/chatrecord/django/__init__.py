"""Chats in a Django project: `"chatrecord.django"` in `INSTALLED_APPS`.

from chatrecord.django import create_chat, db

chat = create_chat(db, "openai:gpt-5.2", user=request.user)
print(chat.ask("What is our Q3 travel policy?").text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chats import (
        acount_runs,
        acreate_chat,
        adelete_chat,
        aerase_owner,
        aexport_owner,
        afeedback_report,
        alist_chats,
        alist_deleted_chats,
        alist_feedback,
        alist_requests,
        alist_runs,
        aload_chat,
        apurge,
        arestore_chat,
        asearch_messages,
        ausage,
        count_runs,
        create_chat,
        delete_chat,
        erase_owner,
        export_owner,
        feedback_report,
        list_chats,
        list_deleted_chats,
        list_feedback,
        list_requests,
        list_runs,
        load_chat,
        purge,
        restore_chat,
        search_messages,
        usage,
    )
    from .database import close_database, db, get_database

__all__ = [
    "acount_runs",
    "acreate_chat",
    "adelete_chat",
    "aerase_owner",
    "aexport_owner",
    "afeedback_report",
    "alist_chats",
    "alist_deleted_chats",
    "alist_feedback",
    "alist_requests",
    "alist_runs",
    "aload_chat",
    "apurge",
    "arestore_chat",
    "asearch_messages",
    "ausage",
    "close_database",
    "count_runs",
    "create_chat",
    "db",
    "delete_chat",
    "erase_owner",
    "export_owner",
    "feedback_report",
    "get_database",
    "list_chats",
    "list_deleted_chats",
    "list_feedback",
    "list_requests",
    "list_runs",
    "load_chat",
    "purge",
    "restore_chat",
    "search_messages",
    "usage",
]

_OF_DATABASE = ("close_database", "db", "get_database")


def __getattr__(name: str) -> Any:
    """Import on first use: Django imports this package before its models can be."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415

    module = import_module(f"{__name__}.{'database' if name in _OF_DATABASE else 'chats'}")
    return getattr(module, name)
