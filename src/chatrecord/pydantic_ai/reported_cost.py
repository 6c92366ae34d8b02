"""What a provider says that it has charged, which Pydantic AI reads of some providers only."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeAlias

from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.usage import RequestUsage

from .model_views import view_of

_DETAIL = "reported_cost"
"""Where the amount stands in a response's `provider_details`, as text."""

_TICKS_PER_DOLLAR = 10**10
_LIMIT = Decimal(10**8)

_OF_RESPONSE = "_process_provider_details"
_OF_CHUNK = "_map_chunk_provider_details"
"""The hooks of Pydantic AI's models for OpenAI's protocols: what they return is kept."""

_OF_ANTHROPIC = "_map_message_delta"
"""What takes the final usage of a stream of Anthropic's protocol."""

_Details: TypeAlias = dict[str, Any] | None


def keeping_costs(model: Model) -> Model:
    """The model, keeping what its provider says that a request cost."""
    if isinstance(model, WrapperModel):
        wrapped = keeping_costs(model.wrapped)
        return model if wrapped is model.wrapped else view_of(model, wrapped=wrapped)
    details_of = getattr(model, _OF_RESPONSE, None)
    return model if details_of is None else view_of(model, **{_OF_RESPONSE: _adding(details_of)})


def keep_streamed_cost(stream: StreamedResponse) -> None:
    """Let a stream keep what its provider, or a proxy, says that the request cost."""
    details_of = getattr(stream, _OF_CHUNK, None)
    if details_of is not None:
        vars(stream)[_OF_CHUNK] = _adding(details_of)
    take_usage = getattr(stream, _OF_ANTHROPIC, None)
    if take_usage is not None:
        vars(stream)[_OF_ANTHROPIC] = partial(_take_usage, stream, take_usage)


def _take_usage(stream: StreamedResponse, take: Callable[[Any], None], event: Any) -> None:
    take(event)
    amount = charged(event)
    if amount is not None:
        stream.provider_details = {**(stream.provider_details or {}), _DETAIL: str(amount)}


def reported_cost(response: ModelResponse) -> Decimal | None:
    """US dollars, if the provider said so with the usage."""
    return _amount((response.provider_details or {}).get(_DETAIL))


def gateway_cost(usage: RequestUsage) -> Decimal | None:
    """US dollars, if Pydantic AI's gateway said so, in any protocol.

    Only before an agent has the response: the agent fills in an estimate where there is none.
    """
    return _amount(usage.cost)


def charged(response: object) -> Decimal | None:
    """The amount in a response, or in a piece of it.

    `usage.cost` is that of OpenRouter and LiteLLM, with `total_cost` in it that of Perplexity;
    xAI counts ticks; DeepInfra calls it an estimate; Vercel's gateway tells it beside the message.
    """
    usage = _of(response, "usage")
    amount = None if usage is None else _in_usage(usage)
    return amount if amount is not None else _gateways(response)


def _in_usage(usage: object) -> Decimal | None:
    cost = _of(usage, "cost")
    amount = _amount(_of(cost, "total_cost") if isinstance(cost, dict) else cost)
    if amount is not None and _of(usage, "is_byok") is True:
        # The account at OpenRouter pays a fee alone; the key of one's own pays the provider.
        upstream = _amount(_of(_of(usage, "cost_details"), "upstream_inference_cost"))
        return None if upstream is None else amount + upstream
    ticks = _amount(_of(usage, "cost_in_usd_ticks"))
    if amount is None and ticks is not None:
        amount = ticks / _TICKS_PER_DOLLAR
    return amount if amount is not None else _amount(_of(usage, "estimated_cost"))


def _gateways(response: object) -> Decimal | None:
    """What Vercel's gateway charged; its 0 says that somebody else charges."""
    choices = _of(response, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = _of(choice, "delta") or _of(choice, "message")
    return _amount(_of(_of(_of(message, "provider_metadata"), "gateway"), "cost")) or None


def _adding(details_of: Callable[[Any], _Details]) -> Callable[[Any], _Details]:
    def with_cost(response: Any) -> _Details:
        details, amount = details_of(response), charged(response)
        return details if amount is None else {**(details or {}), _DETAIL: str(amount)}

    return with_cost


def _of(it: object, name: str) -> Any:
    if isinstance(it, dict):
        return it.get(name)
    # A model of pydantic looks everywhere for a field that is not there, and makes an error of it.
    extra = getattr(it, "model_extra", None)
    return getattr(it, name, None) if extra is None else extra.get(name, vars(it).get(name))


def _amount(value: object) -> Decimal | None:
    """An amount that a row can hold."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < _LIMIT else None
