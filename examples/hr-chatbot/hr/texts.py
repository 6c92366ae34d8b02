"""Text of strangers."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import JSONResponse


def plain(text: str) -> str:
    """Without the characters that no database and no model takes: NUL, and halves of others."""
    return text.encode("utf-8", "ignore").decode().replace("\0", "")


def printable(text: str) -> str:
    """With a space for what cannot be seen."""
    return "".join(it if it.isprintable() else " " for it in text)


class AnyText(JSONResponse):
    """JSON with whatever was said in it, halves of characters too, which no UTF-8 can hold."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()
