"""What a model of pydantic-ai tells of the provider behind it."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from chatrecord.records import Tokens
from chatrecord.spending.addresses import provider_at
from chatrecord.values import Target

_SHORTEST_SECRET = 8
_GOOGLES = "_api_client"
"""Where the client of Google keeps what those of OpenAI and Anthropic have themselves."""
_HEEDING_RETRIES = ("MistralModel", "CohereModel")
"""Models that heed the setting, although nothing on their client says that it retries."""


def target_of(model: Model, *, streamed: bool) -> Target:
    """Where the requests of a model go."""
    provider = provider_at(model.system, model.base_url)
    return Target(model=model.model_name, provider=provider, streamed=streamed)


def provider_of(response: ModelResponse) -> str | None:
    """Who has answered."""
    if response.provider_name is None:
        return None
    return provider_at(response.provider_name, response.provider_url)


def price_context_of(response: ModelResponse) -> dict[str, str]:
    """Text values that the provider reported, such as the service tier."""
    details = response.provider_details or {}
    return {name: value for name, value in details.items() if isinstance(value, str)}


def without_hidden_retries(settings: ModelSettings | None, model: Model) -> ModelSettings | None:
    """Provider clients retry unseen; every attempt is to have its row, so the retries are ours."""
    client: object = getattr(model, "client", None)
    heeds = hasattr(client, "max_retries") or hasattr(client, _GOOGLES)
    if heeds or descends_from(model, *_HEEDING_RETRIES):
        return {"max_retries": 0, **(settings or {})}
    return settings


def secrets_of(model: Model) -> list[str]:
    """The keys its provider clients hold."""
    if isinstance(model, WrapperModel):
        return secrets_of(model.wrapped)
    if isinstance(model, FallbackModel):
        return [secret for each in model.models for secret in secrets_of(each)]
    client: object = getattr(model, "client", None)
    key = getattr(getattr(client, _GOOGLES, client), "api_key", None)
    return [key] if isinstance(key, str) and len(key) >= _SHORTEST_SECRET else []


def models_in(model: Model) -> list[Model]:
    """The models that ask a provider: a fallback has several, and no profile of its own."""
    inner = model
    while isinstance(inner, WrapperModel):
        inner = inner.wrapped
    if isinstance(inner, FallbackModel):
        return [asking for each in inner.models for asking in models_in(each)]
    return [model]


def can_stream(model: Model) -> bool:
    """Whether a model knows how to stream."""
    if isinstance(model, WrapperModel):
        return can_stream(model.wrapped)
    if isinstance(model, FallbackModel):
        return all(can_stream(each) for each in model.models)
    if isinstance(model, FunctionModel):
        return model.stream_function is not None
    return type(model).request_stream is not Model.request_stream


def is_truncated(response: ModelResponse, model: Model, *, has_end_marker: bool) -> bool:
    """Whether a stream stopped without a reason and without its end marker.

    Models without a provider behind them have no marker to miss. A raw end that pydantic-ai has no
    name for is an end all the same.
    """
    if response.provider_url is None or response.state == "suspended":
        return False
    if response.state == "incomplete":
        return True
    return not (has_end_marker or _says_why_it_ended(response, model))


def _says_why_it_ended(response: ModelResponse, model: Model) -> bool:
    """Of chat completions pydantic-ai reports `stop`, or a filter, where no reason came."""
    if (response.provider_details or {}).get("finish_reason"):
        return True
    return response.finish_reason is not None and not is_chat_completions(model)


def without_made_up_reason(response: ModelResponse, model: Model) -> ModelResponse:
    """The answer without a finish reason that no provider gave."""
    refuses = "refusal" in (response.provider_details or {})
    if response.provider_url is None or refuses or _says_why_it_ended(response, model):
        return response
    return replace(response, finish_reason=None)


def is_chat_completions(model: Model) -> bool:
    """Whether a model speaks OpenAI's chat completions, with whichever server."""
    return descends_from(model, "OpenAIChatModel")


def descends_from(it: object, *names: str) -> bool:
    """By the name of its class, or of the model it wraps: no package of a provider is needed."""
    while isinstance(it, WrapperModel):
        it = it.wrapped
    return any(base.__name__ in names for base in type(it).__mro__)


def count_last_usage(stream: StreamedResponse) -> None:
    """Let a stream of chat completions count the usage that it reported last.

    Some servers tell the usage so far with every chunk, and pydantic-ai adds it all up unless a
    setting says so, which as a setting would be sent to the server, too.
    """
    if descends_from(stream, "OpenAIStreamedResponse"):
        settings = getattr(stream, "_model_settings", None) or {}
        last_counts = {**settings, "openai_continuous_usage_stats": True}
        stream.__dict__["_model_settings"] = last_counts


def is_reported(response: ModelResponse) -> bool:
    """Whether the provider said what the request has used."""
    usage = response.usage
    return not usage.unmeasured_requests and usage.has_values()


def tokens_of(response: ModelResponse) -> Tokens:
    """The tokens of a request, as far as they were reported."""
    if not is_reported(response):
        return Tokens()
    usage = response.usage
    return Tokens(
        input=usage.input_tokens,
        output=usage.output_tokens,
        cache_read=_count(response, "cache_read_tokens", "cache_read", "cached"),
        cache_write=_count(response, "cache_write_tokens", "cache_creation", "cache_write"),
        reasoning=_count(response, "output_reasoning_tokens", "reasoning", "thoughts"),
    )


def _count(response: ModelResponse, field: str, *names: str) -> int | None:
    """A count that the provider reported: 0 if it reported 0, `None` if it left it out.

    What was left out is 0 too to who asks for the attribute, but was never set. Gemini sends no
    zeros; pydantic-ai sets them where Gemini streams.
    """
    usage = response.usage
    counted: int = getattr(usage, field, 0)
    if counted:
        return counted
    if field in vars(usage) and not (response.provider_name or "").startswith("google"):
        return 0
    found = (count for key, count in usage.details.items() if key.startswith(names))
    return next(found, None) or None
