"""The records of a run in the making: how each is opened, answered and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from chatrecord.errors import RunInterrupted
from chatrecord.ids import new_id
from chatrecord.llm.port import Answer, Body, Failure
from chatrecord.records import (
    ApiRequest,
    Ending,
    Json,
    Message,
    MessageStatus,
    Run,
    Tokens,
    ToolCall,
    ToolCallStatus,
)
from chatrecord.spending.pricing import PriceList, Spent
from chatrecord.spending.usage import added
from chatrecord.text.redaction import text_of
from chatrecord.values import Call, Target


def opened_request(run: Run, message_id: UUID, target: Target) -> ApiRequest:
    """A request of a run that is about to be sent."""
    return new_request(run.chat_id, run.id, message_id, target)


def new_request(
    chat_id: UUID,
    run_id: UUID | None,
    message_id: UUID | None,
    target: Target,
    kind: str | None = None,
) -> ApiRequest:
    """A request that is about to be sent, by a run or by none."""
    return ApiRequest(
        id=new_id(after=run_id),
        chat_id=chat_id,
        run_id=run_id,
        message_id=message_id,
        provider=target.provider,
        model=target.model,
        status="running",
        http_status=None,
        error_type=None,
        error=None,
        provider_request_id=None,
        streamed=target.streamed,
        started_at=datetime.now(UTC),
        latency_ms=None,
        first_token_ms=None,
        tokens=Tokens(),
        cost=None,
        price_source=None,
        kind=kind,
    )


def opened_message(
    run: Run,
    seq: int,
    body: Body,
    status: MessageStatus,
    *,
    target: Target | None = None,
    created_at: datetime | None = None,
) -> Message:
    """A message of this run without tokens, made now or at `created_at`."""
    now = datetime.now(UTC)
    return Message(
        id=new_id(),
        chat_id=run.chat_id,
        run_id=run.id,
        seq=seq,
        role=body.role,
        status=status,
        text=body.text,
        reasoning=body.reasoning,
        content=body.content,
        format=body.format,
        model=None if target is None else target.model,
        provider=None if target is None else target.provider,
        finish_reason=None,
        tokens=Tokens(),
        created_at=created_at or now,
        finished_at=None if status == "streaming" else now,
    )


def empty_answer(run: Run, target: Target, *, seq: int) -> Message:
    """The row of an empty answer."""
    nothing = Body(role="assistant", text="", reasoning=None, content=None, format=None)
    return opened_message(run, seq, nothing, "streaming", target=target)


def whole_message(run: Run, seq: int, body: Body) -> Message:
    """A message that is complete from the start."""
    return opened_message(run, seq, body, "complete")


def answered(
    message: Message,
    answer: Answer | None,
    status: Ending,
    streamed: tuple[str, str | None] | None = None,
) -> Message:
    """A message with the received part of its answer.

    Its text and reasoning are what was `streamed`, whatever the answer says.
    """
    now = datetime.now(UTC)
    if answer is None:
        text, reasoning = streamed or (message.text, message.reasoning)
        return replace(message, status=status, finished_at=now, text=text, reasoning=reasoning)
    text, reasoning = streamed or (answer.body.text, answer.body.reasoning)
    return replace(
        message,
        status=status,
        finished_at=now,
        text=text,
        reasoning=reasoning,
        content=answer.body.content,
        format=answer.body.format,
        model=answer.model or message.model,
        provider=answer.provider or message.provider,
        finish_reason=answer.finish_reason,
        tokens=answer.tokens,
    )


def continued(paused: Answer | None, answer: Answer | None) -> Answer | None:
    """The answer that continues a paused one: its tokens are those of all its requests."""
    if paused is None or answer is None:
        return answer
    return replace(answer, tokens=added(paused.tokens, answer.tokens))


def closed_request(
    request: ApiRequest,
    answer: Answer | None,
    failure: Failure | None,
    status: Ending,
    latency_ms: float,
    *,
    prices: PriceList,
) -> ApiRequest:
    """A request after its attempt."""
    closed = replace(request, status=status, latency_ms=latency_ms)
    if answer is not None:
        closed = _priced(closed, answer, prices)
    if failure is None:
        return closed
    return replace(
        closed,
        http_status=failure.http_status or closed.http_status,
        error_type=failure.error_type,
        error=text_of(failure.error),
        provider_request_id=closed.provider_request_id or failure.provider_request_id,
    )


def _priced(request: ApiRequest, answer: Answer, prices: PriceList) -> ApiRequest:
    model = answer.model or request.model
    provider = answer.provider or request.provider
    spent = Spent(answer.usage, request.started_at, answer.price_context, answer.reported_cost)
    # A table may not know the name that the model calls itself by.
    cost = prices.cost(spent, models=(model, request.model), provider=provider)
    return replace(
        request,
        model=model,
        provider=provider,
        http_status=answer.http_status,
        provider_request_id=answer.provider_request_id,
        tokens=answer.tokens,
        cost=cost.price.amount if cost.price else None,
        price_source=cost.price.source if cost.price else None,
        list_cost=cost.list_price.amount if cost.list_price else None,
    )


def pending_call(call: Call, answer: Message) -> ToolCall:
    """A tool call that the model has just asked for."""
    return ToolCall(
        id=new_id(after=answer.run_id),
        chat_id=answer.chat_id,
        run_id=answer.run_id,
        message_id=answer.id,
        call_id=call.call_id,
        name=call.name,
        arguments=call.arguments,
        status="pending",
        result=None,
        error=None,
        started_at=None,
        finished_at=None,
        duration_ms=None,
    )


def ended_call(call: ToolCall, status: ToolCallStatus, result: Json, error: str | None) -> ToolCall:
    """A tool call after its run."""
    now = datetime.now(UTC)
    took = None if call.started_at is None else (now - call.started_at).total_seconds() * 1000
    return replace(
        call, status=status, result=result, error=error, finished_at=now, duration_ms=took
    )


def reopened_call(call: ToolCall) -> ToolCall:
    """A tool call that is to run again."""
    return replace(call, status="pending", started_at=None, finished_at=None, duration_ms=None)


def status_after(failure: Failure | None) -> Ending:
    """The final status of a request and its message."""
    if failure is None:
        return "complete"
    return "interrupted" if isinstance(failure.error, RunInterrupted) else "failed"
