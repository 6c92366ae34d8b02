"""The files of a whole chat that comes from an export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.embedded_files import ChatFile, put_back
from chatrecord.errors import DatabaseFailed
from chatrecord.records import Message, ToolCall

from .attachments import Attachments, Files, Record
from .own_attachment_store import key_of, reached


class ArrivingAttachments(Attachments):
    """The files of chats, which may come with a whole chat."""

    def arrived(
        self, records: Sequence[Record], files: Sequence[ChatFile]
    ) -> tuple[list[Record], list[ChatFile]]:
        """Records and files of an export as this database has them."""
        if self._table is None:
            data = {file.hash: file.data for file in files if file.data is not None}
            return [_with_files(record, data) for record in records], []
        found: Files = {}
        referring = [self.referring(record, found, is_stored=True) for record in records]
        known = {file.hash for file in files}
        more = [
            ChatFile(it.hash, it.media_type, it.name, it.size, it.data)
            for it in found.values()
            if it.hash not in known
        ]
        return referring, [*files, *more]

    @asynccontextmanager
    async def put_ahead(self, chat_id: UUID, files: Sequence[ChatFile]) -> AsyncIterator[None]:
        """Have the files of a new chat where they belong before its rows are written.

        No transaction is open while a store of the user's takes its time. What has got no row in
        the end is taken out of it again.
        """
        outside = [file for file in files if file.data is not None] if self._own else []
        try:
            for file in outside:
                await self._put(chat_id, file)
            yield
        except BaseException:
            with suppress(DatabaseFailed):  # why it failed is what there is to tell
                await self._drop_without_rows(chat_id, [file.hash for file in outside])
            raise

    @asynccontextmanager
    async def copied_ahead(
        self, source: UUID, chat_id: UUID, hashes: Sequence[str]
    ) -> AsyncIterator[None]:
        """Have these files of a chat in a store of the user's under the id of its copy, too."""
        if self._own is None:
            yield
            return
        try:
            for file_hash in hashes:
                async with reached("get"):
                    data = await self._own.get(key_of(source, file_hash))
                if data is not None:
                    await self._put_sealed(key_of(chat_id, file_hash), data)
            yield
        except BaseException:
            with suppress(DatabaseFailed):
                await self._drop_without_rows(chat_id, hashes)
            raise

    async def _drop_without_rows(self, chat_id: UUID, hashes: Sequence[str]) -> None:
        if hashes:
            async with self._reading() as connection:
                known = await self._known(connection, chat_id, hashes)
            await self.drop([key_of(chat_id, it) for it in hashes if it not in known])

    async def keep_new(
        self, connection: AsyncConnection, chat_id: UUID, files: Sequence[ChatFile]
    ) -> None:
        """Write all files of a chat that is invisible until this transaction ends."""
        for file in files:
            await self._keep_one(connection, chat_id, file)


def _with_files(record: Record, data: Mapping[str, bytes]) -> Record:
    if isinstance(record, Message):
        return replace(record, content=put_back(record.content, data))
    if isinstance(record, ToolCall):
        return replace(record, result=put_back(record.result, data))
    return record
