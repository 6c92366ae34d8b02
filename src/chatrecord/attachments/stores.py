"""Stores for file contents outside the database."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import uuid4


class AttachmentStore(Protocol):
    """A store for file contents: `Database(url, attachments=...)`.

    A key is a chat's id, a slash, and the file's SHA-256: letters, digits, `-` and one `/`. A key
    always has the same content. A store, or its folder, belongs to one database. If a method
    raises, the operation that needed it raises `DatabaseFailed`; an `OSError` is retried.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Store these bytes under this key; it may exist."""

    async def get(self, key: str) -> bytes | None:
        """Return the bytes under this key, or `None`."""

    async def delete(self, key: str) -> None:
        """Delete the bytes under this key, if there are any."""


class FolderStore:
    """Files in a folder, with one folder for each chat.

    db = Database(url, attachments=FolderStore("/var/lib/app/attachments"))
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(_write, self._folder / key, data)

    async def get(self, key: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return await asyncio.to_thread((self._folder / key).read_bytes)
        return None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(_remove, self._folder / key)


class FsspecStore:
    """Files in a file system of `fsspec`, such as S3, Google Cloud Storage or Azure.

    db = Database(url, attachments=FsspecStore(fsspec.filesystem("s3"), "bucket/attachments"))
    """

    def __init__(self, filesystem: Any, folder: str) -> None:
        self._filesystem = filesystem
        self._folder = PurePosixPath(folder)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._put, str(self._folder / key), data)

    def _put(self, path: str, data: bytes) -> None:
        self._filesystem.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        self._filesystem.pipe_file(path, data)

    async def get(self, key: str) -> bytes | None:
        with suppress(FileNotFoundError):
            found = await asyncio.to_thread(self._filesystem.cat_file, str(self._folder / key))
            return bytes(found)
        return None

    async def delete(self, key: str) -> None:
        with suppress(FileNotFoundError):
            await asyncio.to_thread(self._filesystem.rm_file, str(self._folder / key))


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or none: a killed process leaves no partial file under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    for half in path.parent.glob(f".{path.name}.*"):  # of a process that was killed over it
        half.unlink(missing_ok=True)
    with suppress(OSError):  # others of the chat are still there, or none ever were
        path.parent.rmdir()
