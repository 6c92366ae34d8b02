"""Chats deleted for a time, and everything of one owner, with the columns of chats as keywords."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import overload
from uuid import UUID

from chatrecord.chats import deletion
from chatrecord.records import ChatRecord
from chatrecord.store.chat_store import Audit
from chatrecord.transfer import owners

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade


@overload
async def restore_chat(
    db: Database[ReadyMade, Metadata], chat_id: UUID | str, *, user_id: str | None = ...
) -> None: ...


@overload
async def restore_chat(
    db: Database[OwnChat, Metadata], chat_id: UUID | str, **scope: object
) -> None: ...


async def restore_chat(db: AnyDatabase, chat_id: UUID | str, **scope: object) -> None:
    """Restore a chat that `delete_chat(soft=True)` has hidden. Raises `ChatNotFound`."""
    check(db, "restore_chat", scope, others=[])
    await deletion.restore_chat(db, chat_id, scope)


@overload
async def list_deleted_chats(
    db: Database[ReadyMade, Metadata], *, limit: int = 20, user_id: str | None = ...
) -> list[ChatRecord]: ...


@overload
async def list_deleted_chats(
    db: Database[OwnChat, Metadata], *, limit: int = 20, **scope: object
) -> list[ChatRecord]: ...


async def list_deleted_chats(
    db: AnyDatabase, *, limit: int = 20, **scope: object
) -> list[ChatRecord]:
    """Return the chats that `restore_chat` can restore, the first that was deleted first."""
    check(db, "list_deleted_chats", scope, others=["limit"])
    return await deletion.list_deleted_chats(db, limit=limit, scope=scope)


async def export_owner(db: AnyDatabase, to: str | os.PathLike[str], **scope: object) -> int:
    """Write everything of one owner to a folder, a file for each chat. Returns how many chats.

        await export_owner(db, "export/ann", user_id="ann")

    The keywords are columns of your chats. A file has the lines of `export_chat`, with the files
    that were sent. Chats that were deleted for a time are exported, too. It may be called again
    after it was interrupted, or later: it writes only what is new or has changed. Files of chats
    that are gone stay. Raises `TypeError` without a column.
    """
    _check_owner(db, "export_owner", scope, others=["to"])
    return await owners.export_owner(db, to, scope)


async def erase_owner(db: AnyDatabase, *, audit: Audit = "delete", **scope: object) -> int:
    """Delete everything of one owner for good. Returns how many chats there were.

        await erase_owner(db, user_id="ann")

    The keywords are columns of your chats, `audit` is that of `delete_chat`. Active runs are
    stopped first; chats that wait for approval, that were deleted for a time, or that are created
    meanwhile are deleted, too. Each chat is deleted in a transaction of its own: call it again if
    it was interrupted. Raises `TypeError` without a column.
    """
    _check_owner(db, "erase_owner", scope, others=["audit"])
    return await deletion.erase_owner(db, scope, audit)


def _check_owner(
    db: AnyDatabase, function: str, scope: Mapping[str, object], *, others: Sequence[str]
) -> None:
    """Raise `TypeError` for what is no owner: it would be everybody, or all who have none."""
    check(db, function, scope, others=others)
    if not scope or None in scope.values():
        msg = f"{function}() needs the owner of the chats, such as user_id="
        raise TypeError(msg)
