"""The bytes of a stored file, checked against what the file is known by."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Dialect

from chatrecord.attachments.embedded_files import digest
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy.models.encryption import opened_file


def intact(kept: bytes, chat_id: UUID, file_hash: str, dialect: Dialect) -> bytes:
    """What was once stored as `kept`. Raises `DatabaseFailed` where that has changed."""
    try:
        data = opened_file(kept, file_hash, dialect)
    except DatabaseFailed as error:
        raise _damaged(chat_id, file_hash) from error
    if digest(data) != file_hash:
        raise _damaged(chat_id, file_hash)
    return data


def _damaged(chat_id: UUID, file_hash: str) -> DatabaseFailed:
    return DatabaseFailed(
        f"The file {file_hash} of chat {chat_id} is damaged: its bytes were changed or cut off "
        "where it is kept. Put it back from a backup, or delete it there, and the chat goes on "
        "without it"
    )
