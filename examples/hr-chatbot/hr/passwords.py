"""Passwords, hashed with scrypt as OWASP recommends it (16 MB, a salt each)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

_COST = {"n": 2**14, "r": 8, "p": 5, "maxmem": 64 * 2**20}

AT_ONCE = 2
WAITING = 16
"""Passwords that wait to be checked: those of some seconds."""


class TooManyAtOnce(Exception):
    """More passwords wait to be checked than can be in a few seconds."""


def hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def matches(password: str, stored: str) -> bool:
    salt, _, expected = stored.partition("$")
    found = _scrypt(password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(expected))


class PasswordChecks:
    """Checks in threads of their own: a flood of them holds up neither embeddings nor tools."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "hr-passwords")
        self._room = BoundedSemaphore(AT_ONCE + WAITING)

    async def matches(self, password: str, stored: str) -> bool:
        """Whether it is this password. Raises `TooManyAtOnce`."""
        if not self._room.acquire(blocking=False):
            raise TooManyAtOnce
        checking = self._threads.submit(matches, password, stored)
        checking.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(checking)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, **_COST)


NOBODYS = f"{secrets.token_hex(16)}${secrets.token_hex(64)}"
"""Checked for an unknown address, which then takes as long as a known one. No password has it."""
