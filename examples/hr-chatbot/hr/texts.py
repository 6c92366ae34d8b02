"""Text of strangers."""

from __future__ import annotations


def plain(text: str) -> str:
    """Without the characters that no database and no model takes: NUL, and halves of others."""
    return text.encode("utf-8", "ignore").decode().replace("\0", "")
