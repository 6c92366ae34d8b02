"""A hook that asks a function of yours whether a question or an answer is allowed."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import TypeAlias

from chatrecord.errors import Refused

from .hook import Hook, Soon
from .moments import Answered, Sending

Check: TypeAlias = Callable[[str], Soon[str | None]]
"""Gets a text. Returns the reason to refuse it, or `None`. May be `async`."""


class Moderate(Hook):
    """Refuses questions before they are sent, and answers when they are complete.

        def no_secrets(text: str) -> str | None:
            return "Project X is secret" if "project x" in text.lower() else None

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[Moderate(prompts=no_secrets)])

    A refusal ends the run with `Refused`. The refused message is kept as `superseded`, and not sent
    again. A streamed answer is checked when it is complete: remove it from your page then.
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
