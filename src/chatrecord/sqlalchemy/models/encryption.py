"""The user's keys, and the database that each set belongs to."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from importlib import import_module
from os import urandom
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect

from chatrecord.errors import ConfigurationError, DatabaseFailed, KeyMissing

MARK = "\x1a:"
"""The start of an encrypted text. No plain text starts so: four digits follow U+001A there."""

_BYTES = 32
_ID = 8

HEAD = len(MARK) + _ID + 1
"""Bytes before the encrypted part of a file."""

_in_use: WeakKeyDictionary[Dialect, Keys] = WeakKeyDictionary()
"""The keys of each engine, by its dialect, which column types get."""


class Keys:
    """Keys to encrypt the content of chats: the newest first; the older ones only decrypt.

        db = Database(url, encryption=Keys(os.environ["CHAT_KEY"]))
        db = Database(url, encryption=Keys(newest, older))      # then: await rotate(db)

    `Keys.new()` makes a key: 32 random bytes as URL-safe base64. Each text is a Fernet token (AES
    in CBC mode with a random start, and an HMAC), after a short id of its key. Raises
    `ConfigurationError` for an invalid key, or if `cryptography` is not installed.
    """

    def __init__(self, newest: str, *older: str) -> None:
        fernet = _fernet()
        self._by_id: dict[str, Any] = {_id_of(key): fernet.Fernet(key) for key in (newest, *older)}
        self._newest = _id_of(newest)
        self._invalid: type[Exception] = fernet.InvalidToken

    def __repr__(self) -> str:
        return f"Keys({', '.join(self._by_id)})"  # their ids alone

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keys) and list(self._by_id) == list(other._by_id)

    def __hash__(self) -> int:
        return hash(self._newest)

    @staticmethod
    def new() -> str:
        """Return a new key. Protect it like your database password, and store it elsewhere."""
        return urlsafe_b64encode(urandom(_BYTES)).decode("ascii")

    def seal(self, text: str) -> str:
        """The text, encrypted with the newest key."""
        token: bytes = self._by_id[self._newest].encrypt(text.encode())
        return f"{MARK}{self._newest}:{token.decode('ascii')}"

    def open(self, sealed: str) -> str:
        """Decrypt a text with its key. Raises `KeyMissing` or `DatabaseFailed`."""
        key_id, _, token = sealed.removeprefix(MARK).partition(":")
        if key_id not in self._by_id:
            raise _missing(key_id, f"these: {', '.join(self._by_id)}")
        try:
            text: bytes = self._by_id[key_id].decrypt(token.encode())
        except self._invalid as error:
            msg = f"An encrypted value was changed or cut off after key {key_id} had sealed it"
            raise DatabaseFailed(msg) from error
        return text.decode()

    def seal_bytes(self, data: bytes) -> bytes:
        """The bytes, encrypted with the newest key, behind the same mark."""
        token: bytes = self._by_id[self._newest].encrypt(data)
        return f"{MARK}{self._newest}:".encode() + urlsafe_b64decode(token)

    def open_bytes(self, sealed: bytes) -> bytes:
        """Decrypt a file with its key. Raises as `open` does."""
        key_id = _key_of(sealed)
        if key_id not in self._by_id:
            raise _missing(key_id, f"these: {', '.join(self._by_id)}")
        token = urlsafe_b64encode(sealed[HEAD:])
        try:
            data: bytes = self._by_id[key_id].decrypt(token)
        except self._invalid as error:
            msg = f"An encrypted file was changed or cut off after key {key_id} had sealed it"
            raise DatabaseFailed(msg) from error
        return data

    def has_newest(self, sealed: str) -> bool:
        """Whether the newest key has sealed it."""
        return sealed.startswith(f"{MARK}{self._newest}:")

    def has_newest_file(self, sealed: bytes) -> bool:
        """The same for a file, or for its start."""
        return sealed.startswith(f"{MARK}{self._newest}:".encode())


def are_sealed(head: bytes) -> bool:
    """Whether these bytes start like encrypted ones. Plain ones may, too: see `opened_file`."""
    return head.startswith(MARK.encode()) and head[HEAD - 1 : HEAD] == b":"


def sealed_file(data: bytes, dialect: Dialect) -> bytes:
    """The bytes of a file in their stored form."""
    keys = keys_of(dialect)
    return data if keys is None else keys.seal_bytes(data)


def opened_file(kept: bytes, file_hash: str, dialect: Dialect) -> bytes:
    """The plain bytes of a stored file.

    A plain file that starts like an encrypted one is recognised by its hash.
    """
    if not are_sealed(kept) or sha256(kept).hexdigest() == file_hash:
        return kept
    keys = keys_of(dialect)
    if keys is None:
        raise _missing(_key_of(kept), "none")
    return keys.open_bytes(kept)


def _key_of(sealed: bytes) -> str:
    return sealed[len(MARK) : HEAD - 1].decode("ascii", errors="replace")


def use_keys(dialect: Dialect, keys: Keys) -> None:
    """Everything private is read and written with these keys on this engine from now on."""
    if _in_use.setdefault(dialect, keys) != keys:
        msg = "This engine is used with other keys already: give the second Database its own engine"
        raise ConfigurationError(msg)


def keys_of(dialect: Dialect) -> Keys | None:
    """The keys in use on this engine."""
    return _in_use.get(dialect)


def sealed(text: str, dialect: Dialect) -> str:
    """The text as this database keeps it."""
    keys = keys_of(dialect)
    return text if keys is None else keys.seal(text)


def opened(stored: str, dialect: Dialect) -> str:
    """What `sealed` was given. A text from before there were keys is as it is."""
    if not stored.startswith(MARK):
        return stored
    keys = keys_of(dialect)
    if keys is None:
        raise _missing(stored.removeprefix(MARK).partition(":")[0], "none")
    return keys.open(stored)


def _missing(key_id: str, known: str) -> KeyMissing:
    return KeyMissing(
        f"This was encrypted with the key {key_id}, and the Database has {known}. Give it that "
        "key, too: Database(url, encryption=Keys(newest, older))"
    )


def _id_of(key: str) -> str:
    try:
        raw = urlsafe_b64decode(key)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != _BYTES:
        msg = "That is no key: take one that Keys.new() has made"
        raise ConfigurationError(msg)
    return sha256(b"the id of a chatrecord key" + raw).hexdigest()[:_ID]


def _fernet() -> Any:
    try:
        return import_module("cryptography.fernet")
    except ModuleNotFoundError as error:
        msg = 'Encryption needs cryptography: pip install "chatrecord[encryption]"'
        raise ConfigurationError(msg) from error
