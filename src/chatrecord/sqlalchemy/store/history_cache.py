"""The histories that this process has read before, as far as their rows are unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import getsizeof
from threading import Lock
from typing import TypeAlias
from uuid import UUID

from chatrecord.store.stored_message import StoredMessage

HISTORY_CACHE = 32 * 2**20
"""Bytes of memory for histories by default: about ten full windows of 400 messages."""

LONG = 32
"""Messages from which on a look at their versions costs less than reading them."""

_MOST_CHATS = 10_000
"""Of which is remembered at least that they are long."""

_RECORD = 6_000
"""Bytes of a message without its texts, as a record and as the LLM library holds it."""

_PER_CONTENT = 3
"""The text of a content, and the strings that the LLM library makes of it."""

_PER_VALUE, _FEW_VALUES = 120, 40
"""Of a content with more than a few values in it, such as a tool's result of many rows."""

Version: TypeAlias = tuple[int, object]
"""The number of a message and what tells whether its row has changed."""


@dataclass(slots=True)
class _Chat:
    """The messages of a long chat by their numbers, each with the version of its row."""

    messages: dict[int, tuple[object, StoredMessage]] = field(default_factory=dict)
    size: int = 0
    most: int = LONG
    """The messages of the largest window that was read."""

    def put(self, version: object, message: StoredMessage) -> None:
        self._remove(message.seq)
        self.messages[message.seq] = version, message
        self.size += _size_of(message)

    def _remove(self, seq: int) -> None:
        if seq in self.messages:
            self.size -= _size_of(self.messages.pop(seq)[1])

    def trim(self) -> None:
        """Drop what is older than any window."""
        if len(self.messages) > self.most:
            for seq in sorted(self.messages)[: -self.most]:
                self._remove(seq)


class HistoryCache:
    """The messages of the long chats that were used last, in `most` bytes of memory.

    A message counts only while the database says that its row is of the version that was read. So
    it does not matter who has changed it: a run, another process, or an application by SQL. It is
    used in the threads of SQLite's connections, too.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._chats: OrderedDict[UUID, _Chat] = OrderedDict()
        self._lock = Lock()
        self.size = 0

    def note_length(self, chat_id: UUID, messages: int) -> None:
        """So many messages were read of a chat: a long one is remembered the next time."""
        if messages >= LONG and self._most > 0:
            with self._lock:
                self._chats.setdefault(chat_id, _Chat())
                while len(self._chats) > _MOST_CHATS:
                    self._drop(next(iter(self._chats)))

    def is_long(self, chat_id: UUID) -> bool:
        """Whether the chat was long when it was read before."""
        return chat_id in self._chats

    def unchanged(self, chat_id: UUID, versions: Iterable[Version]) -> list[StoredMessage]:
        """The messages before the first that is not here in its version. All oldest first.

        A version that is `None` is that of a row that is too large for MariaDB to hash.
        """
        with self._lock:
            chat = self._chats.get(chat_id)
            known = chat.messages if chat is not None else {}
            found = list[StoredMessage]()
            for seq, version in versions:
                entry = known.get(seq)
                if entry is None or version is None or entry[0] != version:
                    break
                found.append(entry[1])
        return found

    def keep(
        self, chat_id: UUID, read: Iterable[tuple[object, StoredMessage]], *, window: int
    ) -> None:
        """Remember messages that were read of a long chat, each with the version of its row.

        `window` is the number of all messages that were wanted.
        """
        with self._lock:
            chat = self._chats.get(chat_id) or _Chat()
            self._drop(chat_id)
            for version, message in read:
                chat.put(version, message)
            chat.most = max(chat.most, window)
            chat.trim()
            self._chats[chat_id] = chat
            self.size += chat.size
            while self.size > self._most:
                self._drop(next(iter(self._chats)))

    def forget(self, chat_ids: Iterable[UUID]) -> None:
        """Drop what is here of chats that were deleted."""
        with self._lock:
            for chat_id in chat_ids:
                self._drop(chat_id)

    def _drop(self, chat_id: UUID) -> None:
        chat = self._chats.pop(chat_id, None)
        self.size -= chat.size if chat is not None else 0


def _size_of(message: StoredMessage) -> int:
    """About how many bytes a message takes here."""
    texts = getsizeof(message.text) + getsizeof(message.reasoning)
    values = sum((message.json or "").count(mark) for mark in ",[{") - _FEW_VALUES
    return _RECORD + texts + _PER_CONTENT * getsizeof(message.json) + _PER_VALUE * max(0, values)
