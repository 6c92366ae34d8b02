"""No key reaches a row, a log or an error message."""

import pytest

from chatrecord.text.redaction import redact


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF123456",
        "sk-ant-api03-abc_DEF-123",
        "sk-abc1****************wxyz",
        "AIzaSyA1234567890abcdef",
        "Bearer eyJhbGciOi.J9.x-y_z",
        "gsk-0123456789abcdef",
    ],
)
def test_keys_are_taken_out(secret: str) -> None:
    told = redact(f"Incorrect API key provided: {secret}. See the docs.")

    assert secret not in told
    assert told.startswith("Incorrect API key provided: [redacted]")


def test_the_password_of_a_url_is_taken_out() -> None:
    told = redact("could not connect to postgresql://me:hunter2@db.example/chats")

    assert told == "could not connect to postgresql://[redacted]@db.example/chats"


@pytest.mark.parametrize("text", ["a risk-free task", "The basic idea", "disk-usage is high"])
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text
