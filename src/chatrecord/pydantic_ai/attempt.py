"""One attempt at a provider, from the row that is opened for it to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal

from pydantic_ai.messages import ModelResponse, ModelResponseStreamEvent
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.tools import RunContext

from chatrecord.errors import StreamStalled, StreamTruncated
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.pieces import Pieces
from chatrecord.llm.port import Answer, RequestRecorder
from chatrecord.values import Target

from .choice_usage import count_usage_of_choices
from .end_markers import EndMarker, marker_of
from .errors import Failures, failure_of, request_id
from .growing_parts import Outputs, pieces_of
from .input_estimate import estimated_input
from .messages import calls_of, finish_reason_of, growth_of, words_of
from .outgoing_request import OutgoingRequest
from .pauses import Pause
from .plain_answers import PlainAnswers, Request
from .provider import (
    can_stream,
    count_last_usage,
    is_reported,
    is_truncated,
    price_context_of,
    provider_of,
    secrets_of,
    target_of,
    tokens_of,
    without_hidden_retries,
    without_made_up_reason,
)
from .refusals import with_refusal
from .reported_cost import gateway_cost, keep_streamed_cost, keeping_costs, reported_cost
from .sendable import sendable
from .stored_bodies import StoredBodies
from .surrogates import SurrogatePairing, with_paired_characters
from .telemetry import tell_of_attempt
from .texts import stored_body, stored_call, stored_response
from .thinking_tags import TagParting
from .timers import restart
from .unmasking import Unmasker

_GRAIN = 0.02
"""The part of the idle timeout by which a stall may be noticed late: a timer a chunk costs more
than reading it."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How a request is tried: seconds without any output, and tries after the first.

    Without `streaming` the provider is asked for a whole answer.
    """

    idle_timeout: float | None
    retries: int
    streaming: bool = True


class Attempt:
    """One attempt at the provider."""

    def __init__(
        self,
        model: Model,
        recorder: RequestRecorder,
        attempts: Attempts,
        failures: Failures,
        request: Request,
        *,
        hooks: RunHooks,
        bodies: StoredBodies,
    ) -> None:
        messages, settings, parameters = request
        self._wrapped = keeping_costs(model)
        self._recorder = recorder
        self._failures = failures
        self._idle = attempts.idle_timeout
        self._streamed = attempts.streaming and can_stream(model)
        self._pause = Pause.before(messages, streamed=self._streamed)
        self._messages = sendable(messages, model)
        self._settings = without_hidden_retries(settings, model)
        self._parameters = parameters
        self._outputs = Outputs.of(parameters, model)
        self._hooks = hooks
        self._bodies = bodies
        self._unmasker: Unmasker | None = None
        self._grows = True
        self._tags: TagParting | None = None
        self._pairs: SurrogatePairing | None = None
        self._marker: EndMarker | None = None
        self._plain: PlainAnswers | None = None
        self._arrived: Callable[[], ModelResponse] | None = None
        self._response: ModelResponse | None = None
        self._gateway_cost: Decimal | None = None

    @property
    def began(self) -> bool:
        """Whether any output has arrived."""
        return self._arrived is not None

    async def response(self) -> ModelResponse:
        async with self.recorded(streamed=self._streamed):
            if self._streamed:
                self.finish(await self._drained())
            else:
                response = await self._tolerant_model(self._mind_end).request(*self._request)
                self._gateway_cost = gateway_cost(response.usage)
                self.finish(response)
        assert self._response is not None
        return self._for_library(self._response)

    def _for_library(self, response: ModelResponse) -> ModelResponse:
        return self._pause.for_library(response) if self._pause else response

    async def opened(
        self, run_context: RunContext[object] | None
    ) -> tuple[AsyncExitStack, StreamedResponse, Callable[[], ModelResponse]]:
        """The stream for another reader, what to close at the end, and what has arrived."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.recorded(streamed=True))
            stream = await stack.enter_async_context(
                self._tolerant_model().request_stream(*self._request, run_context)
            )
            self._prepare(stream)
            arrived = stream.get
            # What iterates a StreamedResponse iterates this, once it is set.
            stream._event_iterator = self._guarded(arrived, aiter(stream))
            if self._pause is not None:
                stream.__dict__["get"] = lambda: self._for_library(arrived())
            return stack.pop_all(), stream, arrived

    async def _guarded(
        self,
        arrived: Callable[[], ModelResponse],
        events: AsyncIterator[ModelResponseStreamEvent],
    ) -> AsyncIterator[ModelResponseStreamEvent]:
        while True:
            try:
                async with asyncio.timeout(None) as clock:
                    restart(clock, self._idle)
                    event = await anext(events)
            except StopAsyncIteration:
                self._gateway_cost = gateway_cost(arrived().usage)
                break
            except TimeoutError as error:
                raise self._stalled() from error
            if self._arrived is None:
                self.watch(arrived)
            if self._recorder.grow(growth_of(event)):
                await self._recorder.wait_for_room()
            yield event
        for event in self._rest():
            yield event

    @property
    def _request(self) -> Request:
        """What is sent: hooks may have changed it."""
        return self._messages, self._settings, self._parameters

    def _tolerant_model(self, see: Callable[[StreamedResponse], None] | None = None) -> Model:
        self._plain = PlainAnswers(self._request, see=see)
        return self._plain.model(self._wrapped)

    def _mind_end(self, stream: StreamedResponse) -> None:
        """Of a whole answer that pydantic-ai streams itself, as many of Anthropic."""
        keep_streamed_cost(stream)
        self._marker = EndMarker(stream)

    def _prepare(self, stream: StreamedResponse) -> None:
        count_last_usage(stream)
        keep_streamed_cost(stream)
        count_usage_of_choices(stream)
        self._tags = TagParting(stream)
        self._pairs = SurrogatePairing(stream)
        self._marker = EndMarker(stream)

    def _rest(self) -> list[ModelResponseStreamEvent]:
        """What was held back, as it might have been half a character or half a tag."""
        if self._pairs is None or self._tags is None:
            return []
        return [*self._pairs.rest(), *self._tags.rest()]

    @asynccontextmanager
    async def recorded(self, *, streamed: bool) -> AsyncIterator[None]:
        """Open the request's row, and close it however the attempt ends."""
        target = target_of(self._wrapped, streamed=streamed)
        if self._hooks.change_requests:
            await self._let_hooks_change(target)
        await self._recorder.open_request(
            target, estimate=self._estimate, continues=self._pause is not None
        )
        tell_of_attempt(self._recorder.ids())
        try:
            yield
            assert self._response is not None
            answer = self._answer(self._response)
        except BaseException as error:
            self._grows = False
            failure = failure_of(error, self._secrets())
            self._failures.add(error, failure)
            self._recorder.close_request(self._partial_answer(), failure)
            if isinstance(error, Exception):
                await self._hooks.after_response(failure.error)
            raise
        self._recorder.close_request(answer)
        if self._whole(self._response) is self._response:
            self._bodies.keep(self._response, answer.body)
        await self._hooks.after_response(None)

    def _secrets(self) -> list[str]:
        with suppress(Exception):  # anybody's client
            return secrets_of(self._wrapped)
        return []

    def _partial_answer(self) -> Answer | None:
        """The partial answer before a failure. Errors on the way must not hide the failure."""
        with suppress(Exception):  # anybody's stream, and anybody's hooks
            if self._arrived is not None:
                self._rest()
                arrived = without_made_up_reason(self._arrived(), self._wrapped)
                return self._answer(self._unmasked(arrived))
        return None

    async def _let_hooks_change(self, target: Target) -> None:
        outgoing = OutgoingRequest(target, self._messages, self._parameters)
        originals = await self._hooks.before_request(outgoing)
        self._messages, self._parameters = outgoing.messages, outgoing.parameters
        if originals.in_text or originals.in_calls:
            self._unmasker = Unmasker(originals)

    def _unmasked(self, response: ModelResponse) -> ModelResponse:
        return self._unmasker.response(response) if self._unmasker else response

    def watch(self, arrived: Callable[[], ModelResponse]) -> None:
        """The answer grows here."""
        self._arrived = arrived
        self._recorder.watch(lambda: self._pieces(arrived()))

    def _pieces(self, response: ModelResponse) -> Pieces:
        """What readers are told of the answer so far.

        Arguments that hooks change are told once they have arrived, as they are stored.
        """
        response, storing, unmasker = self._whole(response), self._hooks.storing, self._unmasker
        if storing is None and unmasker is None:
            return pieces_of(response, self._outputs)
        if not self._grows:
            return pieces_of(stored_response(self._unmasked(response), storing), self._outputs)
        words = words_of(response)
        return unmasker.pieces(words, grows=True) if unmasker else words

    def _whole(self, response: ModelResponse) -> ModelResponse:
        response = with_refusal(response)
        return self._pause.whole(response) if self._pause else response

    def finish(self, response: ModelResponse) -> None:
        """The answer has arrived; it is complete if it has a finish reason or its end marker."""
        if is_truncated(response, self._wrapped, has_end_marker=self._has_end_marker()):
            msg = (
                "The provider's stream ended without a finish reason and without its end marker, "
                f"{marker_of(self._wrapped)}: the answer may be cut off"
            )
            raise StreamTruncated(msg)
        self._grows = False
        response = without_made_up_reason(with_paired_characters(response), self._wrapped)
        self._response = response = self._unmasked(response)
        if self._arrived is None:
            self._recorder.watch(lambda: self._pieces(response))

    def _has_end_marker(self) -> bool:
        """Whether the answer is whole by the protocol's own words, or came in one piece."""
        if self._plain is not None and self._plain.taken:
            return True
        if self._marker is not None:
            return self._marker.seen
        return not self._streamed

    async def _drained(self) -> ModelResponse:
        """Read the stream to its end, which may be silent for no longer than the idle timeout."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as clock:
                restart(clock, self._idle)
                async with self._tolerant_model().request_stream(*self._request) as stream:
                    self._prepare(stream)
                    due = 0.0
                    async for event in stream:
                        if self._arrived is None:
                            self.watch(stream.get)
                        if self._recorder.grow(growth_of(event)):
                            clock.reschedule(None)
                            await self._recorder.wait_for_room()
                            due = 0.0
                        if self._idle is not None and (now := loop.time()) > due:
                            late = _GRAIN * self._idle
                            due = now + late
                            restart(clock, late + self._idle)
                    self._rest()
                    self._gateway_cost = gateway_cost(stream.usage)
                    return stream.get()
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise self._stalled() from error

    def _stalled(self) -> StreamStalled:
        return StreamStalled(
            f"The provider sent nothing for {self._idle:g} s: raise Limits(idle_timeout=...)"
        )

    def _answer(self, response: ModelResponse) -> Answer:
        outputs = (tool.name for tool in self._parameters.output_tools)
        whole = self._whole(response)
        calls = calls_of(whole, but=outputs)
        reported = response.usage if is_reported(response) else None
        cost = reported_cost(response)
        return Answer(
            body=stored_body(whole, self._hooks.storing),
            calls=[stored_call(call, self._hooks.storing) for call in calls],
            model=response.model_name,
            provider=provider_of(response),
            finish_reason=finish_reason_of(whole),
            provider_request_id=request_id(response.provider_response_id),
            http_status=200 if response.provider_url else None,
            tokens=tokens_of(response),
            usage=reported,
            price_context=price_context_of(response),
            is_paused=response.state == "suspended",
            reported_cost=cost if cost is not None else self._gateway_cost,
        )

    def _estimate(self) -> int:
        return estimated_input(self._messages, self._parameters)
