"""Signatures of the Standard Webhooks scheme, version 1: HMAC-SHA256 with a shared secret."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence

from chatrecord.errors import ConfigurationError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_FIX = "make one with: echo whsec_$(openssl rand -base64 32)"


def key_of(secret: str) -> bytes:
    """The bytes of a secret such as `whsec_...`. Raises `ConfigurationError` without showing it."""
    try:
        key = b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (Error, ValueError) as error:
        msg = f"The secret of a webhook is whsec_ and Base64: {_FIX}"
        raise ConfigurationError(msg) from error
    if not _SHORTEST <= len(key) <= _LONGEST:
        msg = (
            f"The secret of a webhook has {_SHORTEST} to {_LONGEST} bytes, and this one has "
            f"{len(key)}: {_FIX}"
        )
        raise ConfigurationError(msg)
    return key


def signatures(keys: Sequence[bytes], message_id: str, seconds: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each key."""
    signed = f"{message_id}.{seconds}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
