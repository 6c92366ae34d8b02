"""Files of messages and tool results: kept apart from them, once per chat and content."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Dialect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.attachment import Attachment
from chatrecord.attachments.embedded_files import (
    REFERENCE,
    ChatFile,
    File,
    put_back,
    referred_to,
    taken_out,
)
from chatrecord.attachments.stores import AttachmentStore
from chatrecord.errors import ConfigurationError, DatabaseFailed
from chatrecord.ids import new_id
from chatrecord.records import Message, ToolCall
from chatrecord.sqlalchemy.engine.packets import ESCAPED, REST_OF_STATEMENT
from chatrecord.sqlalchemy.generics import Row
from chatrecord.sqlalchemy.models.encryption import sealed_file
from chatrecord.sqlalchemy.sql.attachments import LARGEST_PACKET, AttachmentStatements
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.types import is_mysql
from chatrecord.store.changes import Changes
from chatrecord.store.rows import RunStart
from chatrecord.store.stored_message import StoredMessage, files_in, may_hold

from .intact_files import intact
from .own_attachment_store import ADD_A_CLASS, key_of, reached

Files: TypeAlias = dict[str, File]
"""Files of one chat, by their hashes."""

Outside: TypeAlias = tuple[str, datetime | None]
"""The key of a file in a store of the user's, and since when it is known to be there."""

Transaction: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
Record = TypeVar("Record")


class Attachments:
    """The files of the chats of one database: in a table, or in a store of the user.

    In a store of the user's nothing is put that has no row in the table yet, so that a deletion
    finds everything, wherever a process was killed.
    """

    def __init__(
        self,
        sql: Statements,
        own: AttachmentStore | None,
        dialect: Dialect,
        transaction: Transaction,
        reading: Transaction,
    ) -> None:
        self._dialect = dialect
        self._table = sql.attachment
        self._sql = AttachmentStatements(sql, self._table) if self._table is not None else None
        self._own = own
        self._transaction = transaction
        self._reading = reading
        self._packet: int | None = None

    # Out of what is written

    def of_start(self, start: RunStart) -> tuple[RunStart, Files]:
        """The same with references to its files, and those."""
        found: Files = {}
        if start.prompt is None:
            return start, found
        return replace(start, prompt=self.referring(start.prompt, found)), found

    def of_changes(self, changes: Changes) -> tuple[Changes, Files]:
        """The same. Messages that change may have come with references, which stay.

        Calls are read with their files in them: what looks so in a result is none of ours.
        """
        found: Files = {}
        new = {it.id: self.referring(it, found) for it in changes.new.values()}
        changed = {
            it.id: self.referring(it, found, is_stored=isinstance(it, Message))
            for it in changes.changed.values()
        }
        return replace(changes, new=new, changed=changed), found

    def referring(self, record: Record, found: Files | None, *, is_stored: bool = False) -> Record:
        """A record with references in the place of its files, which are added to those found."""
        if self._table is None and found is not None:
            return record
        if isinstance(record, Message):
            content = taken_out(record.content, found, is_stored=is_stored)
            return record if content is record.content else replace(record, content=content)
        if isinstance(record, ToolCall):
            result = taken_out(record.result, found, is_stored=is_stored)
            return record if result is record.result else replace(record, result=result)
        return record

    def exported(self, record: Record) -> Record:
        """A record of this database as an export has it, whether or not files have a table here."""
        return record if self._table is not None else self.referring(record, None)

    async def put_out(self, chat_id: UUID, files: Files) -> None:
        """Bring files to where they belong, if that is not the database. No transaction is open."""
        if self._own is None or not files:
            return
        for file in await self._announced(chat_id, files):
            await self._put(chat_id, file)
            this = {"of_chat": chat_id, "of_hash": file.hash, "now": datetime.now(UTC)}
            async with self._transaction() as connection:
                marked = await connection.execute(self._statements.is_stored, this)
            if marked.rowcount == 0:  # the chat was deleted meanwhile
                await self.drop([key_of(chat_id, file.hash)])

    async def _announced(self, chat_id: UUID, files: Files) -> list[File]:
        """Those that are still to be put. They have rows now, unless their chat is not there."""
        for _ in range(2):  # another process may write the same row
            with suppress(_Refused):
                async with self._unless_refused(), self._transaction() as connection:
                    known = await self._known(connection, chat_id, files)
                    # Not every custom schema checks what its rows refer to.
                    if not await self._is_there(connection, chat_id):
                        return []
                    for file in files.values():
                        if file.hash not in known:
                            await self._insert(connection, chat_id, file, None, None)
                return [file for file in files.values() if known.get(file.hash) is None]
        return []  # the next write raises that there is no such chat

    async def _is_there(self, connection: AsyncConnection, chat_id: UUID) -> bool:
        return (
            await connection.execute(self._statements.chat, {"chat_id": chat_id})
        ).first() is not None

    @asynccontextmanager
    async def _unless_refused(self) -> AsyncIterator[None]:
        try:
            yield
        except DatabaseFailed as error:
            if isinstance(error.__cause__, IntegrityError):
                raise _Refused from error
            raise

    async def keep(self, connection: AsyncConnection, chat_id: UUID, files: Files) -> None:
        """Write those of these files that the chat has not got yet, if they belong here."""
        if self._own is not None or not files:
            return
        known = await self._known(connection, chat_id, files)
        for file in files.values():
            if known.get(file.hash) is None:
                if file.hash in known:  # its bytes were gone, and are here again
                    this = {"of_chat": chat_id, "of_hash": file.hash}
                    await connection.execute(self._statements.forget, this)
                await self._keep_one(connection, chat_id, file)

    async def _keep_one(
        self, connection: AsyncConnection, chat_id: UUID, file: File | ChatFile
    ) -> None:
        if file.data is None:  # gone where it came from
            await self._insert(connection, chat_id, file, None, None)
        elif self._own is not None:
            await self._insert(connection, chat_id, file, None, datetime.now(UTC))
        else:
            data = self._sealed(file.data)
            await self._check_packet(connection, file, data)
            await self._insert(connection, chat_id, file, data, datetime.now(UTC))

    async def _known(
        self, connection: AsyncConnection, chat_id: UUID, hashes: Iterable[str]
    ) -> dict[str, datetime | None]:
        these = {"chat_id": chat_id, "hashes": list(hashes)}
        found = await connection.execute(self._statements.known, these)
        return {row["hash"]: row["stored_at"] for row in found.mappings()}

    async def _insert(
        self,
        connection: AsyncConnection,
        chat_id: UUID,
        file: File | ChatFile,
        data: bytes | None,
        stored_at: datetime | None,
    ) -> None:
        assert self._table is not None
        values = {
            "id": new_id(),
            "chat_id": chat_id,
            "hash": file.hash,
            "media_type": file.media_type,
            "name": file.name,
            "size": file.size,
            "data": data,
            "stored_at": stored_at,
        }
        await connection.execute(self._table.insert(*values), values)

    async def _check_packet(
        self, connection: AsyncConnection, file: File | ChatFile, data: bytes
    ) -> None:
        """MySQL closes a connection that sends too much, without an error."""
        if not is_mysql(self._dialect):
            return
        if self._packet is None:
            self._packet = int((await connection.execute(LARGEST_PACKET)).scalar_one())
        doubled = len(data) - len(data.translate(None, ESCAPED))
        if len(data) + doubled + REST_OF_STATEMENT > self._packet:
            msg = (
                f"{file.name or 'A file'} is {file.size:,} bytes long, too much for a "
                f"statement of this server, which takes {self._packet:,}: raise its "
                "max_allowed_packet, or give the Database a store for files: attachments="
            )
            raise DatabaseFailed(msg, refused_value=True)

    # Into what is read

    async def whole(self, messages: Sequence[Message]) -> list[Message]:
        """These messages of one chat with their files in them."""
        if self._table is None or not messages:
            return list(messages)
        referring = [each for each in messages if may_hold(each, REFERENCE)]
        if not referring:
            return list(messages)
        wanted = frozenset[str]().union(*map(files_in, referring))
        data = await self._data(messages[0].chat_id, wanted)
        return [
            self._with_files(message, data) if may_hold(message, REFERENCE) else message
            for message in messages
        ]

    @staticmethod
    def _with_files(message: Message, data: Mapping[str, bytes]) -> Message:
        if isinstance(message, StoredMessage) and message.json is not None:
            return message.with_files({it: data[it] for it in files_in(message) if it in data})
        content = put_back(message.content, data)
        return message if content is message.content else replace(message, content=content)

    async def whole_calls(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """These tool calls of one chat with the files of their results in them."""
        if self._table is None or not calls:
            return list(calls)
        wanted = {found for call in calls for found in referred_to(call.result)}
        data = await self._data(calls[0].chat_id, wanted)
        results = [put_back(call.result, data) for call in calls]
        return [
            call if result is call.result else replace(call, result=result)
            for call, result in zip(calls, results, strict=True)
        ]

    async def _data(self, chat_id: UUID, hashes: Collection[str]) -> dict[str, bytes]:
        """The bytes of these files."""
        if not hashes:
            return {}
        these = {"chat_id": chat_id, "hashes": sorted(hashes)}
        async with self._reading() as connection:
            rows = (await connection.execute(self._statements.found, these)).mappings().all()
        kept = await asyncio.gather(*(self._kept(row) for row in rows))
        return {
            row["hash"]: self._opened(row, data)
            for row, data in zip(rows, kept, strict=True)
            if data is not None
        }

    async def get(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        """One file of a chat."""
        if self._table is None:
            msg = "Attachments have no table of their own in this database: " + ADD_A_CLASS
            raise ConfigurationError(msg)
        these = {"chat_id": chat_id, "hashes": [file_hash]}
        async with self._reading() as connection:
            found = await connection.execute(self._statements.found, these)
            row = found.mappings().one_or_none()
        data = await self._kept(row) if row is not None else None
        if row is None or data is None:
            return None
        opened = self._opened(row, data)
        return Attachment(data=opened, media_type=row["media_type"], name=row["name"])

    async def of_chat(self, connection: AsyncConnection, chat_id: UUID) -> AsyncGenerator[ChatFile]:
        """All files of a chat, one at a time."""
        if self._table is None:
            return
        key = {"chat_id": chat_id}
        hashes = (await connection.execute(self._statements.hashes, key)).scalars().all()
        for file_hash in hashes:
            these = {**key, "hashes": [file_hash]}
            row = (await connection.execute(self._statements.found, these)).mappings().one()
            self._check_store(row)
            data = await self._kept(row)
            if data is not None:
                data = self._opened(row, data)
            yield ChatFile(file_hash, row["media_type"], row["name"], row["size"], data)

    async def _kept(self, row: Row) -> bytes | None:
        """The bytes of a file as they are stored, in the database or outside of it."""
        data: bytes | None = row["data"]
        if data is not None or self._own is None:
            return None if data is None else bytes(data)
        async with reached("get"):
            return await self._own.get(key_of(row["chat_id"], row["hash"]))

    def can_read(self, row: Row) -> bool:
        """Whether the bytes of this file are where this Database can look."""
        return row["data"] is not None or self._own is not None

    async def read(self, row: Row) -> bytes | None:
        """The bytes of this file as they were given, or `None` where they are gone."""
        data = await self._kept(row)
        return None if data is None else self._opened(row, data)

    def _check_store(self, row: Row) -> None:
        """Raise for a file that needs its store to be moved, deleted or re-encrypted."""
        if self._own is None and row["data"] is None and row["stored_at"] is not None:
            msg = (
                f"Files of chat {row['chat_id']} are in a store that this Database was not given: "
                "Database(url, attachments=...)"
            )
            raise ConfigurationError(msg)

    # Out of the world

    async def outside(self, chat_id: UUID) -> set[Outside]:
        """What a store of the user's has of this chat, or may have."""
        if self._own is None:
            return set()
        async with self._reading() as connection:
            return await self._outside(connection, [chat_id])

    @property
    def are_outside(self) -> bool:
        """Whether they are in a store of the user's."""
        return self._own is not None

    async def erase(self, connection: AsyncConnection, chat_ids: Sequence[UUID]) -> set[Outside]:
        """Delete the rows of these chats; what is left outside, to be dropped before they go."""
        if self._sql is None:
            return set()
        these = {"chat_ids": list(chat_ids)}
        if self._own is not None:
            await connection.execute(self._sql.lock_chats, these)
        outside = await self._outside(connection, chat_ids)
        await connection.execute(self._sql.erase, these)
        return outside

    async def _outside(self, connection: AsyncConnection, chat_ids: Sequence[UUID]) -> set[Outside]:
        these = {"chat_ids": list(chat_ids)}
        rows = (await connection.execute(self._statements.outside, these)).mappings().all()
        for row in rows:
            self._check_store(row)
        found = {(key_of(row["chat_id"], row["hash"]), row["stored_at"]) for row in rows}
        return found if self._own is not None else set()

    async def drop(self, keys: Iterable[str]) -> None:
        """Delete what is outside."""
        for key in keys:
            assert self._own is not None
            async with reached("delete"):
                await self._own.delete(key)

    def _opened(self, row: Row, kept: bytes) -> bytes:
        return intact(kept, row["chat_id"], row["hash"], self._dialect)

    async def _put(self, chat_id: UUID, file: File | ChatFile) -> None:
        assert file.data is not None
        await self._put_sealed(key_of(chat_id, file.hash), self._sealed(file.data))

    async def _put_sealed(self, key: str, data: bytes) -> None:
        assert self._own is not None
        async with reached("put"):
            await self._own.put(key, data)

    def _sealed(self, data: bytes) -> bytes:
        return sealed_file(data, self._dialect)

    @property
    def _statements(self) -> AttachmentStatements:
        assert self._sql is not None
        return self._sql


class _Refused(Exception):
    """The database has refused a row: it is there, or its chat is not."""
