"""For tests of synchronous code: stored chats and recorded answers without `async`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

from pydantic_ai.models import Model

from chatrecord.chats.sync import SyncChat, wait

from . import recording
from .recording import RecordingMode
from .script import Script

__all__ = ["recorded", "script_from_chat"]


def script_from_chat(
    chat: SyncChat[Any, Any],
    *,
    strict: bool = True,
    approval: Collection[str] = (),
    limit: int = 1000,
) -> Script:
    """See `Script.from_chat`."""
    made = Script.from_chat(chat._chat, strict=strict, approval=approval, limit=limit)
    return chat._wait(made)


@contextmanager
def recorded(
    llm: str | Model,
    file: str | PathLike[str],
    *,
    mode: RecordingMode = "once",
    ignore: Collection[str] = (),
) -> Iterator[Model]:
    """See `chatrecord.testing.recorded`."""
    manager = recording.recorded(llm, file, mode=mode, ignore=ignore)
    model = wait(manager.__aenter__())
    try:
        yield model
    except BaseException:  # also a test that is interrupted gives the model its own client back
        if not wait(manager.__aexit__(*sys.exc_info())):
            raise
    else:
        wait(manager.__aexit__(None, None, None))
