"""Keeps keys out of rows, logs and error messages."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"\b(?:sk|pk|rk|key|gsk|xai)-[\w*.-]{6,}"  # OpenAI, Anthropic, Stripe-like, Groq, xAI
    r"|\bAIza[\w*-]{10,}"  # Google
    r"|\b(?:Bearer|Basic)\s+[\w.~+/=*-]{6,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # user and password of a URL
    re.IGNORECASE,
)


def redact(text: str, *known: str) -> str:
    """`text` without the `known` secrets, and without anything that looks like one."""
    for secret in known:
        text = text.replace(secret, "[redacted]")
    return _SECRETS.sub("[redacted]", text)
