"""What is asked: a text, and the files that go with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chatrecord import Attachment
from chatrecord.attachments.attachment import read_attachments
from chatrecord.errors import ConfigurationError

from .program import PROGRAM

PIPE = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """A text with its files, read before anything is asked."""

    text: str
    attachments: Sequence[Attachment] = ()


def question_text(words: Sequence[str], files: Sequence[str]) -> str | None:
    """What was typed after the command or piped into it; `None` to talk."""
    if words:
        return " ".join(words)
    if sys.stdin.isatty():
        return None
    if PIPE in files:
        msg = f'The pipe is a file here (-a -), so say the question: {PROGRAM} chat "..." -a -'
        raise ConfigurationError(msg)
    piped = sys.stdin.buffer.read().decode(errors="replace").strip()
    if not piped:
        msg = f'There is nothing to ask. Say it: {PROGRAM} chat "...", or pipe it in'
        raise ConfigurationError(msg)
    return piped


async def read_files(files: Sequence[str]) -> list[Attachment]:
    """Each file with its content. Raises `ConfigurationError` for one that cannot be sent."""
    return [await _read(file) for file in files]


async def _read(file: str) -> Attachment:
    given = _attachment_of(file)
    if given.data == b"":
        msg = f"The file {file} is empty: there is nothing to send"
        raise ConfigurationError(msg)
    try:
        # A file that is named at a terminal is meant, so its size has no limit.
        (attachment,) = await read_attachments([given], None)
    except ValueError as error:
        msg = f"Unknown file type of {file}: rename it, for example to report.pdf"
        raise ConfigurationError(msg) from error
    return attachment


def _attachment_of(file: str) -> Attachment:
    if file == PIPE:
        return Attachment(data=_piped())
    if file.startswith(("http://", "https://")):
        return Attachment(url=file)
    path = Path(file)
    try:
        return Attachment(data=path.read_bytes(), name=path.name)
    except OSError as error:
        msg = f"The file {file} cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from error


def _piped() -> bytes:
    if sys.stdin.isatty():
        msg = f'-a - is what is piped in, and nothing is: cat FILE | {PROGRAM} chat "..." -a -'
        raise ConfigurationError(msg)
    return sys.stdin.buffer.read()
