"""What errors say, and without keys: for rows, logs and error messages."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"\b(?:sk|pk|rk|key|gsk|xai)-[\w*.-]{6,}"  # OpenAI, Anthropic, Stripe-like, Groq, xAI
    r"|\bAIza[\w*-]{10,}"  # Google
    r"|\b(?:Bearer|Basic)\s+[\w.~+/=*-]{6,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # user and password of a URL
    re.IGNORECASE,
)


def text_of(error: BaseException) -> str:
    """The text of an error, or a substitute: reporting a failure must not fail."""
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - anybody's __str__
        return f"<its text cannot be made: {type(failure).__name__}>"


def named(error: BaseException) -> str:
    """The class and the message of an error."""
    return f"{type(error).__name__}: {text_of(error)}"


def redact(text: str, *known: str) -> str:
    """`text` without the `known` secrets, and without anything that looks like one."""
    for secret in known:
        text = text.replace(secret, "[redacted]")
    return _SECRETS.sub("[redacted]", text)
