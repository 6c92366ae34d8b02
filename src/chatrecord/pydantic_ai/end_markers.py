"""Whether a stream ended as its protocol says that streams end.

The providers' clients read the marker and keep it to themselves. A server that names no reason why
an answer has ended still says by it that the answer is whole.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from pydantic_ai.models import Model, StreamedResponse

from .provider import descends_from

_DONE = "[DONE]"
_LAST_EVENTS = ("message_stop", "response.completed", "response.incomplete")


class EndMarker:
    """Looks for the end marker in the server-sent events of one stream."""

    def __init__(self, stream: StreamedResponse) -> None:
        self.seen = False
        source = getattr(getattr(stream, "_response", None), "source", None)
        decoder: Any = getattr(source, "_decoder", None)
        self._decode = getattr(decoder, "decode", None)
        if self._decode is not None:
            with suppress(AttributeError):  # a client that takes no other
                decoder.decode = self._decoded

    def _decoded(self, line: str) -> Any:
        """A line of the stream, as the client reads it: an event, where the line ends one."""
        assert self._decode is not None
        event = self._decode(line)
        if event is not None and not self.seen:
            self.seen = _is_last(event.event, event.data)
        if _DONE in line and not self.seen:
            self.seen = _is_done(line)
        return event


def _is_done(line: str) -> bool:
    """Whether it is the marker of chat completions.

    Some servers end with it, without the blank line that would make it an event.
    """
    name, _, data = line.partition(":")
    return name == "data" and data.lstrip().startswith(_DONE)


def _is_last(name: str | None, data: str) -> bool:
    if name in _LAST_EVENTS:
        return True
    if name is not None or not ("message_stop" in data or "response." in data):
        return False  # nearly all events: none of them is parsed
    with suppress(ValueError):
        event = json.loads(data)
        return isinstance(event, dict) and event.get("type") in _LAST_EVENTS
    return False


def marker_of(model: Model) -> str:
    """What a stream of this model's protocol ends with, in words."""
    if descends_from(model, "OpenAIResponsesModel"):
        return "`response.completed`"
    if descends_from(model, "AnthropicModel"):
        return "`message_stop`"
    if descends_from(model, "BedrockConverseModel"):
        return "`messageStop`"
    if descends_from(model, "CohereModel"):
        return "`message-end`"
    if descends_from(model, "GoogleModel"):
        return "a finish reason"
    return f"`{_DONE}`"
