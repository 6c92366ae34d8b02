"""The versions that clients state. One that states none gets what all versions know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from starlette.requests import Request

from chatrecord.web.protocols.ai_sdk import Version

Release: TypeAlias = tuple[int, ...]
"""A version in numbers, such as (7, 0, 149); empty if none was stated."""


def ai_sdk_release(request: Request) -> Release:
    """The release of the package `ai`, as far as the header says it: `7.0.173`, or only `7`."""
    return _numbers(request.headers.get("x-ai-sdk-version", ""))


def ai_sdk_version(request: Request, default: Version) -> Version:
    """The version of the AI SDK that this client reads."""
    release = ai_sdk_release(request)
    return cast(Version, release[0]) if release and release[0] in (5, 6, 7) else default


def ag_ui_release(body: Mapping[str, object]) -> Release:
    """The version of the protocol, which AG-UI clients state since 1.0."""
    stated = body.get("protocolVersion")
    return _numbers(stated) if isinstance(stated, str) else ()


def _numbers(stated: str) -> Release:
    parts = stated.strip()[:40].split("-")[0].split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
