"""Chats that Django deletes, such as those of a deleted user: nothing of them is left."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from functools import partial
from typing import Any

from django.db import models, transaction

from chatrecord.events import LAST, NewEvent

from .database import current_database
from .model_names import model_of
from .transactions import wait_outside


def before_deletion(instance: models.Model, using: str, **_: object) -> None:
    """Delete what no foreign key of the database deletes with a chat."""
    chat_id = instance.pk
    messages = _rows("message", using).filter(chat_id=chat_id).values("pk")
    _rows("chunk", using).filter(message_id__in=messages).delete()
    sent = _rows("request", using).filter(chat_id=chat_id).values_list("started_at", flat=True)
    days = {moment.astimezone(UTC).date() for moment in sent.iterator()}
    _rows("usage_day", using).filter(day__in=days).delete()  # `repair` counts them again
    _rows("event", using).filter(chat_id=chat_id).delete()
    _rows("event", using).create(**asdict(NewEvent("chat.deleted", chat_id, chat_order=LAST)))
    files = current_database().store.attachments
    if files.are_outside:
        outside = wait_outside(files.outside(chat_id))
        drop = partial(_drop, files, [key for key, _ in outside])
        transaction.on_commit(drop, using=using)


def _drop(files: Any, keys: list[str]) -> None:
    wait_outside(files.drop(keys))


def _rows(kind: str, using: str) -> Any:
    return model_of(kind)._base_manager.using(using)
