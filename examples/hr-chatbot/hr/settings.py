"""What can be set, all of it in the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .public_holidays import SITES

HERE = Path(__file__).resolve().parent.parent


def _set(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def _port(told: str) -> int:
    if not told.isdecimal():
        msg = f"HR_PORT is a number, not {told!r}"
        raise Unusable(msg)
    return int(told)


def _url(told: str) -> str:
    parts = urlsplit(told)
    if told and (
        parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")
    ):
        msg = f"HR_URL is an address such as https://hr.example.com, not {told!r}"
        raise Unusable(msg)
    return told


def _one_of(known: Sequence[str], name: str, default: str) -> str:
    told = _set(name, default)
    if told not in known:
        msg = f"{name} is one of {', '.join(known)}, not {told!r}"
        raise Unusable(msg)
    return told


def _number(name: str, default: str) -> int:
    told = _set(name, default)
    if not told.isdecimal() or not int(told):
        msg = f"{name} is a number from 1 on, not {told!r}"
        raise Unusable(msg)
    return int(told)


class Unusable(Exception):
    """What is set cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """The settings, each with its variable."""

    database_url: str = field(default_factory=lambda: _set("HR_DATABASE_URL"))
    """Where everything is kept. Empty: a PostgreSQL of our own, or else SQLite."""

    data: Path = field(default_factory=lambda: Path(_set("HR_DATA", str(HERE / ".data"))))
    """The folder of the database of our own."""

    is_postgres_as_root: bool = field(
        default_factory=lambda: _set("HR_POSTGRES_AS_ROOT", "0") != "0"
    )
    """Whether root may have the PostgreSQL: it makes a user, and opens folders to all users."""

    handbook: Path = field(
        default_factory=lambda: Path(_set("HR_HANDBOOK", str(HERE / "handbook")))
    )
    """The folder with the documents."""

    model: str = field(default_factory=lambda: _set("HR_MODEL"))
    """A model string such as `anthropic:claude-sonnet-5-5`. Empty: by the key that is set."""

    llm: str = field(default_factory=lambda: _set("HR_LLM"))
    """`script:MODULE` lets a test put `MODULE.llm()` in place of an LLM."""

    embeddings: str = field(default_factory=lambda: _set("HR_EMBEDDINGS", "local"))
    """`local`, `openai`, or the string of a provider's embedding model."""

    site: str = field(default_factory=lambda: _one_of(SITES, "HR_SITE", SITES[0]))
    """Whose public holidays cost nobody a vacation day."""

    is_demo: bool = field(default_factory=lambda: _set("HR_DEMO", "1") != "0")
    """Whether an empty database gets three people, whose passwords everybody may know."""

    host: str = field(default_factory=lambda: _set("HR_HOST", "127.0.0.1"))
    port: int = field(default_factory=lambda: _port(_set("HR_PORT", "8000")))

    url: str = field(default_factory=lambda: _url(_set("HR_URL")))
    """Where people open it, such as `https://hr.example.com`. Empty: as their browsers say."""

    proxies: str = field(default_factory=lambda: _set("HR_PROXIES"))
    """Addresses of proxies in front, with commas between them, whose headers are believed."""

    at_once: int = field(default_factory=lambda: _number("HR_AT_ONCE", "20"))
    """Requests, and answers, of one person that are under way at once."""
