"""A hook that keeps personal data from the provider and, on request, out of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from .detectors import Detector, detected
from .hook import Hook
from .moments import Sending, Text
from .patterns import PERSONAL_DATA, Pattern

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LENGTH = 6


class MaskPersonalData(Hook):
    """Replaces personal data in each request by placeholders such as `[EMAIL_kqzrmf]`.

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[MaskPersonalData()])

    All texts of each request are masked: the question, instructions, the history, arguments and
    results of tools. In one chat, a value has the same placeholder in all processes; it does not
    reveal the value. Tools get the values.

    `patterns` are `PERSONAL_DATA` (e-mail addresses, phone numbers, IBANs, credit card numbers, IP
    addresses), or a mapping of names to your `Pattern`s. `detectors` find more, and first:
    `presidio(...)`, `phone_numbers(...)`, or functions of yours from a text to `Found`s. With
    `rows="mask"` the rows have the placeholders, and the values are stored nowhere. With
    `answers="real"`, placeholders in an answer are replaced by the values, for its reader and in
    its row; with `"masked"` they stay.

    Raises `ValueError` for `rows="mask"` with `answers="real"`.
    """

    def __init__(
        self,
        patterns: Mapping[str, Pattern] = PERSONAL_DATA,
        *,
        detectors: Sequence[Detector] = (),
        rows: Literal["keep", "mask"] = "keep",
        answers: Literal["masked", "real"] = "masked",
    ) -> None:
        if rows not in ("keep", "mask") or answers not in ("masked", "real"):
            msg = "rows= is 'keep' or 'mask', answers= is 'masked' or 'real'"
            raise ValueError(msg)
        if rows == "mask" and answers == "real":
            msg = "answers='real' stores real values: rows='mask' keeps them out. Choose one"
            raise ValueError(msg)
        self._patterns = patterns
        self._detectors = tuple(detectors)
        self._masks_rows = rows == "mask"
        self._shows_values = answers == "real"

    def before_request(self, sending: Sending) -> Sending:
        values: dict[str, str] = {}
        masked = sending.changed(lambda text: self.masked(sending.chat_id, text.text, values))
        in_text = values if self._shows_values else {}
        return replace(masked, in_calls=values, in_text=in_text)

    def before_store(self, chat_id: UUID, text: Text) -> str:
        return self.masked(chat_id, text.text) if self._masks_rows else text.text

    def masked(self, chat_id: UUID, text: str, values: dict[str, str] | None = None) -> str:
        """The text with placeholders. Adds their values to `values`."""
        found = {} if values is None else values
        for detector in self._detectors:
            for it in reversed(detected(text, detector)):
                value = text[it.start : it.end]
                placeholder = _placeholder(chat_id, it.name, value)
                found[placeholder] = value
                text = text[: it.start] + placeholder + text[it.end :]
        for name, pattern in self._patterns.items():

            def stand_in(value: str, name: str = name) -> str:
                placeholder = _placeholder(chat_id, name, value)
                found[placeholder] = value
                return placeholder

            text = pattern.replaced(text, stand_in)
        return text


def _placeholder(chat_id: UUID, name: str, value: str) -> str:
    """Depends only on the value and the chat; a number would depend on the window.

    Outsiders do not know the id of the chat, so that they cannot guess the value.
    """
    key = chat_id.bytes
    digest = hashlib.blake2b(f"{name}:{value}".encode(errors="surrogatepass"), key=key).digest()
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_LENGTH])
    return f"[{name}_{letters}]"
