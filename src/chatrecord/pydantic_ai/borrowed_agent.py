"""The run of a user's agent, behind the port that our runs use."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, cast

from pydantic_ai import RunContext
from pydantic_ai.messages import ModelRequest, UserPromptPart
from pydantic_ai.models import Model

from chatrecord.attachments.attachment import Attachment
from chatrecord.errors import ConfigurationError
from chatrecord.hooks.moments import Change
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.port import (
    LLM,
    Ask,
    Body,
    Origin,
    Outcome,
    Recorder,
    RequestRecorder,
    SideRequest,
)
from chatrecord.records import Message, ToolCall
from chatrecord.values import Target

from .attachments import attached
from .messages import answers_to, body_of
from .provider import can_stream, target_of
from .stopping import Stopper
from .texts import stored_body

_PATIENCE = 5.0
"""Seconds that a run which was stopped waits for the agent to let go of it."""


class BorrowedAgentRun:
    """Implements `chatrecord.llm.port.LLM`: hands the recorder over, and waits for the end."""

    def __init__(self, ctx: RunContext[object]) -> None:
        self._ctx = ctx
        self.stopper = Stopper()
        self._begun: asyncio.Future[tuple[Recorder, RunHooks]] = asyncio.Future()
        self._outcome: asyncio.Future[Outcome] = asyncio.Future()

    @property
    def target(self) -> Target:
        model = self._ctx.model
        if not isinstance(model, Model):  # such as one of realtime speech
            msg = f"Only runs of request and response can be recorded, not of {model!r}"
            raise ConfigurationError(msg)
        return target_of(model, streamed=can_stream(model))

    @property
    def agent(self) -> str | None:
        return self._ctx.agent.name if self._ctx.agent else None

    @property
    def repeatable(self) -> Collection[str]:
        return ()

    def prompt(
        self, content: object, storing: Change | None = None, origin: Origin | None = None
    ) -> Body:
        return stored_body(ModelRequest(parts=[UserPromptPart(cast(Any, content))]), storing)

    def attached(
        self, prompt: str | Sequence[object], files: Sequence[Attachment]
    ) -> Sequence[Any]:
        return attached(prompt, files)

    def answers(self, calls: Sequence[ToolCall]) -> Body:
        return body_of(answers_to(calls))

    async def output(self, answer: Message, output_type: object | None) -> object:
        return answer.text  # the types are those of the agent's own call

    def for_side_requests(self, llm: object) -> LLM:
        raise NotImplementedError  # as below

    async def side_request(
        self, side_request: SideRequest, recorder: RequestRecorder, hooks: RunHooks
    ) -> str:
        raise NotImplementedError  # a borrowed agent gets no side requests

    async def run(self, history: Sequence[Message], ask: Ask, recorder: Recorder) -> Outcome:
        self._begun.set_result((recorder, ask.hooks))
        try:
            return await asyncio.shield(self._outcome)
        except asyncio.CancelledError:
            self.stopper.stop()
            await asyncio.wait([self._outcome], timeout=_PATIENCE)
            with suppress(Exception):  # the cancellation is what is raised
                self._outcome.result()
            raise

    async def begun(self, ended: asyncio.Task[None]) -> tuple[Recorder, RunHooks] | None:
        """Who records it, once its first rows are there; `None` where it never began."""
        either: list[asyncio.Future[Any]] = [self._begun, ended]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._begun.result() if self._begun.done() else None

    async def leave(self) -> None:
        """Let go of what still runs, so that it has told its last before the run is ended."""
        self.stopper.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self.stopper.left()

    def end(self, outcome: Outcome) -> None:
        """The agent has ended."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def fail(self, error: Exception) -> None:
        """The agent has failed."""
        if not self._outcome.done():
            self._outcome.set_exception(error)
            self._outcome.exception()  # retrieved, so that asyncio does not report it
