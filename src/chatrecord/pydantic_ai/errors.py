"""From what pydantic-ai and the provider clients raise to our errors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelServerError,
    ModelUnavailableError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)

from chatrecord.errors import (
    AnswerInvalid,
    AnswerRefused,
    ChatRecordError,
    ConfigurationError,
    ContextTooLong,
    LimitExceeded,
    ProviderError,
    RateLimited,
    RunError,
    RunInterrupted,
)
from chatrecord.llm.port import Failure
from chatrecord.text.arguments import LONGEST_KEY
from chatrecord.text.redaction import named, redact, text_of

_RATE_LIMIT = 429
_STATUSES = range(100, 600)
_PASSING_STATUS = {408, 409, _RATE_LIMIT, 500, 502, 503, 504, 529}
_PASSING = (ModelRateLimitError, ModelServerError, ModelUnavailableError, ModelConnectionError)
_LOST_CONNECTIONS = {("httpx", "TransportError"), ("aiohttp", "ClientConnectionError")}
"""What a client of Google that somebody made raises, and pydantic-ai does not translate."""
_LONGEST_WAIT = 60.0
_LONGEST_MESSAGE = 2000
_LONGEST_DUMP = 300


class Failures:
    """What was raised, and our failure for it: by the very error, for not all can be hashed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[BaseException, Failure]] = {}

    def add(self, error: BaseException, failure: Failure) -> None:
        """Keep this error with its failure."""
        self._known[id(error)] = (error, failure)

    def of(self, error: BaseException) -> Failure | None:
        """Our failure for this error, if it was kept."""
        known = self._known.get(id(error))
        return known[1] if known else None


def failure_of(error: BaseException, secrets: Sequence[str]) -> Failure:
    """Why an attempt at a provider failed, for its row, without these secrets. Never raises."""
    try:
        return _failure_of(error, secrets)
    except Exception:  # noqa: BLE001 - an error of any class, which must not hide the partial answer
        name = type(error).__name__
        return Failure(ProviderError(f"{name}: what it says cannot be read"), name[:LONGEST_KEY])


def _failure_of(error: BaseException, secrets: Sequence[str]) -> Failure:
    return Failure(
        error=_attempt_error(error, secrets),
        error_type=type(error).__name__[:LONGEST_KEY],
        http_status=_status_of(error),
        provider_request_id=_request_id_of(error),
    )


def may_pass(error: Exception) -> bool:
    """Whether trying the same request again may well succeed."""
    if isinstance(error, ModelQuotaExceededError):
        return False  # waiting does not fill an account
    passing = isinstance(error, _PASSING) or _status_of(error) in _PASSING_STATUS
    passing = passing or _is_lost_connection(error)
    return passing and (retry_after(error) or 0) <= _LONGEST_WAIT


def _is_lost_connection(error: Exception) -> bool:
    """By the names of its classes: neither HTTP library has to be installed."""
    names = {(base.__module__.partition(".")[0], base.__name__) for base in type(error).__mro__}
    return not names.isdisjoint(_LOST_CONNECTIONS)


def is_unencodable(error: Exception) -> bool:
    """Whether a request could not be sent because of a lone surrogate in its text."""
    return isinstance(error, UnicodeEncodeError) or "surrogates not allowed" in text_of(error)


def retry_after(error: BaseException) -> float | None:
    """The seconds the provider asked to wait."""
    asked = _attribute(error, "retry_after")
    is_number = isinstance(asked, int | float) and not isinstance(asked, bool)
    return asked if is_number and 0 <= asked < math.inf else None


def request_id(given: object) -> str | None:
    """A provider's id of a request, if it is one that a column takes."""
    return given if isinstance(given, str) and 0 < len(given) <= LONGEST_KEY else None


def run_error(error: Exception) -> ChatRecordError:  # noqa: PLR0911 - a table of eight rows
    """The error of ours that tells what ended a run."""
    match error:
        case ChatRecordError():
            return error
        case UserError():
            return ConfigurationError(redact(text_of(error)) + _hint_of(error))
        case UsageLimitExceeded():
            return LimitExceeded(text_of(error))
        case ModelAPIError():
            return _provider_error(error)
        case ExceptionGroup():
            return ProviderError(_error_message(error))
        case ContentFilterError():
            return AnswerRefused(_refusal(error))
        case UnexpectedModelBehavior():
            return AnswerInvalid(_error_message(error))
        case _:
            return RunError(f"The run failed: {_error_message(error)}")


def _attempt_error(error: BaseException, secrets: Sequence[str]) -> RunError:
    if isinstance(error, RunError):
        return error
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return RunInterrupted("The request was stopped")
    if isinstance(error, ModelAPIError):
        return _provider_error(error, secrets)
    return ProviderError(_error_message(error, secrets))


def _provider_error(error: ModelAPIError, secrets: Sequence[str] = ()) -> ProviderError:
    status = _status_of(error)
    kind: type[ProviderError] = ProviderError
    if isinstance(error, ModelRateLimitError) or status == _RATE_LIMIT:
        kind = RateLimited
    elif isinstance(error, ModelContextWindowExceededError):
        kind = ContextTooLong
    said = f"answered {status}" if status else "failed"
    message = f"The provider of {error.model_name} {said}: {_reason(error, secrets)}"
    return kind(message, http_status=status, retry_after=retry_after(error))


def _status_of(error: BaseException) -> int | None:
    status = _attribute(error, "status_code")
    is_one = isinstance(status, int) and status in _STATUSES
    return int(status) if is_one else None


def _request_id_of(error: BaseException) -> str | None:
    headers = _attribute(error, "headers")
    if not isinstance(headers, Mapping):
        return None
    with suppress(Exception):  # anybody's mapping
        return request_id(headers.get("x-request-id")) or request_id(headers.get("request-id"))
    return None


def _attribute(error: BaseException, name: str) -> Any:
    """An attribute of any error: its value may have any type, or be a property that fails."""
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - anybody's property
        return None


def _reason(error: ModelAPIError, secrets: Sequence[str]) -> str:
    body = _attribute(error, "body")
    said = _told_in(body)
    if said is not None:
        return redact(said, *secrets)[:_LONGEST_MESSAGE]
    if body is None:
        return redact(str(error.message), *secrets)[:_LONGEST_MESSAGE]
    dump = redact(str(error.message), *secrets)  # it quotes the body, such as a page of a gateway
    return dump if len(dump) <= _LONGEST_DUMP else f"{dump[:_LONGEST_DUMP]} [...]"


def _told_in(body: Any) -> str | None:
    """What the body of a response says of its error, in the places that servers have for it."""
    if not isinstance(body, dict):
        return None
    inner = body.get("error")
    places = inner if isinstance(inner, dict) else body
    found = (places.get(name) for name in ("message", "detail", "error"))
    return next((text for text in found if isinstance(text, str) and text), None)


def _refusal(error: ContentFilterError) -> str:
    """What pydantic-ai says of it, but for its words that a filter was triggered."""
    return refused(error.message.removeprefix("Content filter triggered."))


def _hint_of(error: UserError) -> str:
    """What to do where Pydantic AI refuses what records a run: in a workflow of DBOS and others."""
    if not text_of(error).startswith("Capabilities added per-run inside a"):
        return ""
    return " In a workflow, ask in a step, or give the agent Persisted among its capabilities"


def refused(said: str) -> str:
    """The message of an `AnswerRefused`, with the words of the model or of its provider."""
    said = said.strip()
    return redact(f"The model refused to answer. {said}".strip())[:_LONGEST_MESSAGE]


def _error_message(error: BaseException, secrets: Sequence[str] = ()) -> str:
    said = named(error)
    if isinstance(error, UnexpectedModelBehavior):  # without the response, which it quotes whole
        said = f"{type(error).__name__}: {error.message}"
    return redact(said, *secrets)[:_LONGEST_MESSAGE]
