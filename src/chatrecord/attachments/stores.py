"""Stores for file contents outside the database."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import uuid4


class AttachmentStore(Protocol):
    """Where the bytes of files are kept: `Database(url, attachments=...)`.

    A key is a chat's id, a slash, and the file's SHA-256: letters, digits, `-` and one `/`. What is
    put under a key is always the same content. A store, or its folder, belongs to one database.
    What a method raises ends what needed it, as `DatabaseFailed`; an `OSError` is tried again.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Keep these bytes under this key, whether or not there are some."""

    async def get(self, key: str) -> bytes | None:
        """The bytes under this key; `None` where there are none."""

    async def delete(self, key: str) -> None:
        """Forget them, whether or not there are some."""


class FolderStore:
    """Files in a folder, one folder a chat.

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
    """Whole or not at all: a process that is killed leaves no half of a file under its name."""
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
