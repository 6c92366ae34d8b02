"""What each bad ending of a stream is to chatrecord."""

from __future__ import annotations

from chatrecord import Limits
from chatrecord.errors import ProviderError, RunError, StreamStalled, StreamTruncated

from .answers import Ending

IDLE = Limits(idle_timeout=1)
MISBEHAVIOURS: dict[Ending, tuple[type[RunError], str]] = {
    "truncated": (StreamTruncated, "interrupted"),
    "dropped": (ProviderError, "failed"),
    "reset": (ProviderError, "failed"),
    "malformed": (ProviderError, "failed"),
    "overloaded": (ProviderError, "failed"),
    "stalled": (StreamStalled, "failed"),
}


def limits(ends: Ending) -> Limits:
    """Short patience where the provider falls silent, and none of it where it does not."""
    return IDLE if ends == "stalled" else Limits()
