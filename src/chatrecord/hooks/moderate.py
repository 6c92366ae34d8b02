"""Asks a function of your own whether a question or an answer may pass."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import TypeAlias

from chatrecord.errors import Refused

from .hook import Hook, Soon
from .moments import Answered, Sending

Check: TypeAlias = Callable[[str], Soon[str | None]]
"""Is told a text, and returns why it may not pass, or `None`. May be `async`."""


class Moderate(Hook):
    """Refuses questions before they are sent, and answers once they are whole.

        def no_secrets(text: str) -> str | None:
            return "Project X is secret" if "project x" in text.lower() else None

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[Moderate(prompts=no_secrets)])

    A refusal ends the run with `Refused`. What was refused is kept as superseded, and not sent
    again. A streamed answer has been read by the time it is whole: take it back where it was shown.
    """

    def __init__(self, *, prompts: Check | None = None, answers: Check | None = None) -> None:
        if prompts is None and answers is None:
            msg = "Moderate(prompts=..., answers=...) takes a function for one of them, or both"
            raise TypeError(msg)
        self._prompts = prompts
        self._answers = answers

    async def before_request(self, sending: Sending) -> None:
        if self._prompts and sending.is_first and sending.prompt:
            await _check(self._prompts, sending.prompt)

    async def after_response(self, answered: Answered) -> None:
        if self._answers and answered.error is None and answered.message.text:
            await _check(self._answers, answered.message.text)


async def _check(check: Check, text: str) -> None:
    said = check(text)
    reason = await said if isawaitable(said) else said
    if reason is not None:
        raise Refused(reason)
