"""The error bodies of OpenAI's two protocols."""

from __future__ import annotations

from .answers import Refusal
from .wire import Body

KEYS_PAGE = "https://platform.openai.com/account/api-keys"
INVALID = "invalid_request_error"


def body(message: str, kind: str, *, code: str | None = None, param: str | None = None) -> Body:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


FIXED: dict[str, Body] = {
    "rate_limit": body(
        "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29100, "
        "Requested 1200. Please try again in 600ms.",
        "tokens",
        code="rate_limit_exceeded",
    ),
    "quota": body(
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        code="insufficient_quota",
    ),
    "overloaded": body("The server is currently overloaded.", "service_unavailable_error"),
    "server_error": body(
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
    ),
}


def refusal(refusal: Refusal, param: str) -> Body:
    """The body of a refusal; `param` is the part of the request that holds the history."""
    match refusal.kind:
        case "unauthorised":
            words = (
                f"Incorrect API key provided: {refusal.detail}. You can find yours at {KEYS_PAGE}."
            )
            return body(words, INVALID, code="invalid_api_key")
        case "context":
            return body(too_long(param), INVALID, code="context_length_exceeded", param=param)
        case "invalid":
            return body(refusal.detail, INVALID, param=param)
        case kind:
            return FIXED[kind]


def too_long(param: str) -> str:
    if param == "input":
        return (
            "Your input exceeds the context window of this model. "
            "Please adjust your input and try again."
        )
    return (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in "
        "130214 tokens. Please reduce the length of the messages."
    )
