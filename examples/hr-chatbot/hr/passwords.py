"""Passwords, hashed with scrypt as OWASP recommends it (16 MB, a salt each)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_COST = {"n": 2**14, "r": 8, "p": 5, "maxmem": 64 * 2**20}


def hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def matches(password: str, stored: str) -> bool:
    salt, _, expected = stored.partition("$")
    found = _scrypt(password, bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, **_COST)


NOBODYS = hashed(secrets.token_hex())
"""Checked for an unknown address, which then takes as long as a known one."""
