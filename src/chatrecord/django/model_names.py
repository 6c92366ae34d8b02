"""Which models hold the chats: those of this app, or yours."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

NAMES = {
    "chat": "Chat",
    "run": "Run",
    "message": "Message",
    "tool_call": "ToolCall",
    "request": "Request",
    "chunk": "Chunk",
    "attachment": "Attachment",
    "usage_day": "UsageDay",
    "event": "Event",
    "event_reader": "EventReader",
    "feedback": "Feedback",
}
"""The model of each table, by the name that `Models` has for it."""


def setting_of(kind: str) -> str:
    """The setting that names a model of yours instead, such as `CHATRECORD_CHAT_MODEL`."""
    return f"CHATRECORD_{kind.upper()}_MODEL"


def set_defaults() -> None:
    """Give the settings that are not there the models of this app: migrations refer to them."""
    for kind, name in NAMES.items():
        if not hasattr(settings, setting_of(kind)):
            setattr(settings, setting_of(kind), f"chatrecord.{name}")


def name_of(kind: str) -> str:
    """The model that is used, such as `"chatrecord.Chat"`."""
    return str(getattr(settings, setting_of(kind)))


def model_of(kind: str) -> type[models.Model]:
    """The class of it."""
    found: type[Any] = apps.get_model(name_of(kind), require_ready=False)
    return found
