"""Answers that come as one JSON body although a stream was asked for.

Some servers and proxies do not stream, whatever they are asked. Their answer is taken as the model
takes one that was not to be streamed. Of Anthropic pydantic-ai asks for streams by itself, too.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import (
    CompletedStreamedResponse,
    Model,
    ModelRequestParameters,
    StreamedResponse,
)
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from .model_views import view_of
from .provider import descends_from

Request: TypeAlias = tuple[list[ModelMessage], ModelSettings | None, ModelRequestParameters]
"""What is sent: messages, settings, and the tools and output that are offered."""

Process: TypeAlias = Callable[..., Awaitable[StreamedResponse]]

_WHOLE = {
    "OpenAIChatModel": ("_completions_create", "openai.types.chat", "ChatCompletion"),
    "OpenAIResponsesModel": ("_responses_create", "openai.types.responses", "Response"),
    "AnthropicModel": ("_messages_create", "anthropic.types.beta", "BetaMessage"),
}
"""By the class of a model: what asks the provider, and what it returns without a stream."""


class PlainAnswers:
    """Takes such an answer to one request."""

    def __init__(
        self, request: Request, *, see: Callable[[StreamedResponse], None] | None = None
    ) -> None:
        self._request = request
        self._see = see
        """Told of a real stream, such as of one that pydantic-ai reads itself, out of sight."""
        self.taken = False

    def model(self, model: Model) -> Model:
        """The model, taking such an answer, too."""
        if isinstance(model, WrapperModel):
            inner = self.model(model.wrapped)
            if inner is model.wrapped:
                return model
            return view_of(model, wrapped=inner)
        process: Process | None = getattr(model, "_process_streamed_response", None)
        if process is None or not any(descends_from(model, name) for name in _WHOLE):
            return model
        return view_of(model, _process_streamed_response=partial(self._processed, model, process))

    async def _processed(
        self, model: Model, process: Process, stream: Any, *given: Any, **options: Any
    ) -> StreamedResponse:
        body = await _plain_body(stream)
        if body is None:
            streamed = await process(stream, *given, **options)
            if self._see is not None:
                self._see(streamed)
            return streamed
        self.taken = True
        answer = await _answering(model, json.loads(body)).request(*self._request)
        return CompletedStreamedResponse(
            answer, model_request_parameters=self._request[2], replay_events=True
        )


async def _plain_body(stream: Any) -> str | bytes | None:
    """The body of the response, if it is JSON."""
    source = getattr(stream, "source", stream)
    response: Any = getattr(source, "response", None)
    headers = getattr(response, "headers", {})
    if not headers.get("content-type", "").startswith("application/json"):
        return None
    if source is stream:
        body: bytes = await response.aread()
        return body
    # Of Anthropic's stream the first event was awaited: its decoder has the lines that are none.
    return "\n".join(getattr(getattr(source, "_decoder", None), "_raw", ())) or None


def _answering(model: Model, data: dict[str, Any]) -> Model:
    """The model, as if its provider had answered with this already."""
    asks, module, name = next(it for cls, it in _WHOLE.items() if descends_from(model, cls))
    answer = getattr(import_module(module), name).construct(**data)

    async def answered(*_given: Any, **_options: Any) -> Any:
        return answer

    return view_of(model, **{asks: answered})
