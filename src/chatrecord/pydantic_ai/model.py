"""A model that records every attempt at the model it wraps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import (
    CompletedStreamedResponse,
    Model,
    ModelRequestParameters,
    StreamedResponse,
)
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext

from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.port import RequestRecorder

from .attempt import Attempt, Attempts
from .errors import Failures, is_unencodable, may_pass, retry_after
from .messages import scrubbed
from .model_views import view_of
from .plain_answers import Request
from .stored_bodies import StoredBodies
from .unsupported_files import is_unsupported, without_unsupported

_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 8.0

Result = TypeVar("Result")


class RecordingModel(WrapperModel):
    """Streams each request, so that a partial answer is kept if the attempt fails.

    An attempt that failed before its first output is tried again where that may help.
    """

    def __init__(
        self,
        wrapped: Model,
        recorder: RequestRecorder,
        attempts: Attempts,
        failures: Failures,
        *,
        hooks: RunHooks,
        bodies: StoredBodies,
    ) -> None:
        super().__init__(wrapped)
        self._bodies = bodies
        self._recorder = recorder
        self._attempts = attempts
        self._failures = failures
        self._hooks = hooks

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        request = (messages, model_settings, model_request_parameters)
        return await self._tried(request, lambda attempt: attempt.response())

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[object] | None = None,
    ) -> AsyncIterator[StreamedResponse]:
        """For agents that handle their own events: the same rows, another reader."""
        request = (messages, model_settings, model_request_parameters)
        # What hooks restore in an answer is not in its own events.
        if self._hooks.change_requests or not self._attempts.streaming:
            response = await self._tried(request, lambda attempt: attempt.response())
            yield CompletedStreamedResponse(
                response, model_request_parameters=model_request_parameters, replay_events=True
            )
            return

        async def opened(attempt: Attempt) -> tuple[Attempt, Any, StreamedResponse, Any]:
            return attempt, *await attempt.opened(run_context)

        attempt, stack, stream, arrived = await self._tried(request, opened)
        async with stack:
            yield stream
            attempt.finish(arrived())

    def prepare_messages(
        self,
        messages: list[ModelMessage],
        model_request_parameters: ModelRequestParameters | None = None,
    ) -> list[ModelMessage]:
        try:
            return super().prepare_messages(messages, model_request_parameters)
        except ValueError as error:
            if not is_unencodable(error):
                raise
            return super().prepare_messages(scrubbed(messages), model_request_parameters)

    async def _tried(
        self, request: Request, work: Callable[[Attempt], Awaitable[Result]]
    ) -> Result:
        tried, is_scrubbed = 0, False
        while True:
            attempt = Attempt(
                self.wrapped,
                self._recorder,
                self._attempts,
                self._failures,
                request,
                hooks=self._hooks,
                bodies=self._bodies,
            )
            try:
                return await work(attempt)
            except Exception as error:
                if is_unencodable(error) and not is_scrubbed:
                    request, is_scrubbed = (scrubbed(request[0]), *request[1:]), True
                    continue
                without_files = without_unsupported(request[0]) if is_unsupported(error) else None
                if without_files is not None:
                    request = (without_files, *request[1:])
                    continue
                tried += 1
                if attempt.began or tried > self._attempts.retries or not may_pass(error):
                    raise
                await asyncio.sleep(_pause(error, tried))


def recording(model: Model, wrap: Callable[[Model], Model]) -> Model:
    """The model with every attempt recorded, those that a fallback tries one by one.

    A fallback may stand in another, or in a wrapper such as one that limits concurrency: what asks
    a provider is behind it, and each provider's answers are read by its own protocol.
    """
    if isinstance(model, FallbackModel):
        return view_of(model, models=[recording(each, wrap) for each in model.models])
    if isinstance(model, WrapperModel) and _has_fallback(model.wrapped):
        return view_of(model, wrapped=recording(model.wrapped, wrap))
    return wrap(model)


def _has_fallback(model: Model) -> bool:
    while isinstance(model, WrapperModel):
        model = model.wrapped
    return isinstance(model, FallbackModel)


def _pause(error: Exception, tried: int) -> float:
    """Seconds to wait: what the provider asked for, or an exponential backoff with jitter."""
    asked = retry_after(error)
    if asked is not None:
        return asked
    backoff = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (tried - 1))
    return backoff * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
