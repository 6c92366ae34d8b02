"""A store for files that is the user's own: checked, and reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chatrecord.attachments.stores import AttachmentStore
from chatrecord.errors import ChatRecordError, ConfigurationError, DatabaseFailed
from chatrecord.text.redaction import named, redact

STORE_PATIENCE = 60.0
"""Seconds that a store of the user's may take for one file."""

ADD_A_CLASS = "add a class with AttachmentMixin to your models (Models(attachment=...))"


def check_own(own: AttachmentStore | None, table: type | None) -> None:
    """Raise `ConfigurationError` for a store that could not work."""
    if own is None:
        return
    if table is None:
        msg = f"attachments= needs a table that says what is kept there: {ADD_A_CLASS}"
        raise ConfigurationError(msg)
    missing = [name for name in ("put", "get", "delete") if not hasattr(own, name)]
    if missing:
        msg = f"attachments= takes a store such as FolderStore(...): {own!r} has no {missing[0]}()"
        raise ConfigurationError(msg)


@asynccontextmanager
async def reached(what: str) -> AsyncIterator[None]:
    """What a store of the user's raises, as `DatabaseFailed`; what passes may be tried again."""
    try:
        async with asyncio.timeout(STORE_PATIENCE):
            yield
    except ChatRecordError:
        raise
    except Exception as error:
        reason = redact(named(error))
        msg = f"The store for attachments could not {what} a file: {reason}"
        raise DatabaseFailed(msg, may_pass=isinstance(error, OSError)) from error


def key_of(chat_id: UUID, file_hash: str) -> str:
    """Where a file is kept in a store of the user's."""
    return f"{chat_id}/{file_hash}"
