"""An uploaded document is read in a process of its own.

A small file can unpack to gigabytes, or keep its reader busy for hours. The process has little
memory and time, and no secrets in its environment; if it is ended, nothing else notices.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress

from .settings import HERE
from .splitting import Piece, Split, UnreadableDocument, split

MEMORY = 2**30
"""Bytes of address space, where the system can limit it."""

SECONDS = 30
"""Of the processor, and twice as many by the clock."""

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
_TOO_MUCH = "This document takes too much memory or time to read: save it anew, or split it"


async def read(name: str, content: bytes) -> Split:
    """The passages of a document of a stranger. Raises `UnreadableDocument`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hr.reading", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=HERE,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(2 * SECONDS):
            said, _ = await process.communicate(content)
    except TimeoutError as error:
        raise UnreadableDocument(_TOO_MUCH) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _split_of(said)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _split_of(said: bytes) -> Split:
    try:
        told = json.loads(said)
    except ValueError as error:  # it was ended in the middle
        raise UnreadableDocument(_TOO_MUCH) from error
    if "problem" in told:
        raise UnreadableDocument(told["problem"])
    return Split(told["title"], [Piece(*piece) for piece in told["pieces"]])


def main() -> None:
    """Read a document from the standard input, and tell its passages as JSON."""
    _limit()
    print(json.dumps(_told(sys.argv[1], sys.stdin.buffer.read())))


def _told(name: str, content: bytes) -> dict[str, object]:
    try:
        found = split(name, content)
    except UnreadableDocument as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": _TOO_MUCH}
    pieces = [(piece.heading, piece.text, piece.page) for piece in found.pieces]
    return {"title": found.title, "pieces": pieces}


def _limit() -> None:
    with suppress(ImportError):  # Windows has none of it, but the clock
        import resource  # noqa: PLC0415

        for what, most in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(OSError, ValueError):  # a system may know a limit and not allow it
                resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
