"""Makes the runs of an agent of your own persistent, wherever it is called."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.run import AgentRunResult
from pydantic_ai.tools import ToolDefinition

from chatrecord.chats.options import check_options
from chatrecord.errors import (
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    RunError,
    RunInterrupted,
)
from chatrecord.hooks.hook import Hook
from chatrecord.records import ChatRecord
from chatrecord.runs.cancellation import run_to_completion
from chatrecord.runs.chat_runs import ChatRuns
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.policies import OnBusy, Policies
from chatrecord.runs.process import Backend
from chatrecord.runs.run_spec import RunSpec
from chatrecord.spending.limits import Limits
from chatrecord.store.window import Window
from chatrecord.text.arguments import checked_id

from .attempt import Attempts
from .borrowed_agent import BorrowedAgentRun
from .capability import Recording, recorded_agent
from .errors import run_error
from .messages import history_of


@dataclass(init=False)
class Persisted(Recording):
    """A capability that records each run of an agent in your database, as a `Chat` does.

        agent = Agent("openai:gpt-5.2", capabilities=[Persisted(db)])
        result = await agent.run("Hello", capabilities=[Persisted(db, chat_id=chat.id)])

    Messages, requests, tool calls, partial answers and failures become rows while the agent runs,
    and any process can follow or stop the run through a `Chat` with its id. You choose what the
    agent is sent, including `message_history=`; `message_history(db, chat_id)` reads it from the
    rows.

    Without `chat_id` the chat is Pydantic AI's conversation: its id is the run's `conversation_id`,
    which a `message_history` continues, and it is created with its first run. `columns` are those
    of your chats: the values of a new one, and the scope of an existing one.

    Errors of models and tools are raised unchanged. A run that cannot start raises the errors of
    `Chat.ask`, such as `ChatBusy` and `ChatNotFound`; a stopped run raises `RunInterrupted`.
    """

    id: str | None = "persisted"
    """The capability id: the capability of a run replaces the agent's."""

    def __init__(
        self,
        backend: Backend,
        *,
        chat_id: UUID | str | None = None,
        limits: Limits | None = None,
        on_busy: OnBusy = "reject",
        hooks: Sequence[Hook] = (),
        retries: int = 2,
        **columns: object,
    ) -> None:
        unknown = set(columns) - set(backend.store.chat_columns())
        if unknown:
            msg = f"Persisted() got unknown columns of a chat: {', '.join(sorted(unknown))}"
            raise TypeError(msg)
        for name, value in columns.items():
            backend.store.check_column(name, value)
        check_options({"on_busy": on_busy, "hooks": hooks, "retries": retries})
        if limits is not None:
            check_options({"limits": limits})
        self._backend = backend
        self._chat_id = None if chat_id is None else _uuid(chat_id)
        self._columns: Mapping[str, object] = columns
        self._policies = Policies(
            limits=limits or Limits(), on_busy=on_busy, hooks=hooks, prices=backend.runtime.prices
        )
        self._tries = Attempts(idle_timeout=self._policies.limits.idle_timeout, retries=retries)
        self._borrowed: BorrowedAgentRun | None = None

    async def for_run(self, ctx: RunContext[object]) -> AbstractCapability[Any]:
        """A run has its own, so that an agent can run several times at once."""
        if ctx.agent is not None and ctx.agent is recorded_agent.get():
            return AlreadyRecorded()
        own = type(self).__new__(type(self))
        own.__dict__ |= self.__dict__
        return own

    async def wrap_run(self, ctx: RunContext[object], *, handler: Any) -> AgentRunResult[Any]:
        self._borrowed = borrowed = BorrowedAgentRun(ctx)
        live = await self._live(ctx, borrowed)
        ended = asyncio.create_task(live.ended())
        begun = await borrowed.begun(ended)
        if begun is None:
            await live.reply()
            msg = "The run ended before it began"
            raise RunInterrupted(msg)
        recorder, hooks = begun
        known = len(ctx.messages) + (ctx.prompt is not None)
        super().__init__(recorder, self._tries, hooks, known=known)
        try:
            result: AgentRunResult[Any] = await handler()
        except BaseException as error:
            with suppress(asyncio.CancelledError):
                await run_to_completion(borrowed.leave())
            borrowed.fail(self._reason(error))
            await run_to_completion(live.ended())
            raise
        borrowed.end(self.outcome(result))
        await run_to_completion(live.ended())
        await live.reply()
        return result

    async def _live(self, ctx: RunContext[object], borrowed: BorrowedAgentRun) -> LiveRun:
        chat = await self._chat(ctx, borrowed)
        partition = self._backend.runtime.partitioning.of_chat(chat.columns)
        others = ChatRuns(self._backend, chat.id, borrowed, lambda: partition)
        active = await others.active() if ctx.prompt is None else None
        spec = RunSpec(
            chat_id=chat.id,
            content=ctx.prompt,
            instructions=None,
            policies=self._policies,
            resumes=active if active is not None and active.status == "parked" else None,
            partition=partition,
        )
        return LiveRun(self._backend.store, self._backend.runtime.journal, borrowed, spec, others)

    async def _chat(self, ctx: RunContext[object], borrowed: BorrowedAgentRun) -> ChatRecord:
        chat_id = _uuid(self._chat_id or ctx.conversation_id)
        store = self._backend.store
        found = await store.get_chat(chat_id, self._columns)
        if found is None and self._chat_id is None:
            try:
                return await store.insert_chat(self._new_chat(chat_id, borrowed))
            except DatabaseFailed:  # another run of the conversation was faster, or it is not yours
                found = await store.get_chat(chat_id, self._columns)
        if found is None:
            msg = f"There is no chat {chat_id} here"
            raise ChatNotFound(msg)
        return found

    def _new_chat(self, chat_id: UUID, borrowed: BorrowedAgentRun) -> ChatRecord:
        now = datetime.now(UTC)
        return ChatRecord(
            id=chat_id,
            model=borrowed.target.model,
            provider=borrowed.target.provider,
            agent=borrowed.agent,
            instructions=None,
            title=None,
            metadata={},
            created_at=now,
            updated_at=now,
            columns=self._columns,
        )

    async def wrap_model_request(
        self, ctx: RunContext[object], *, request_context: ModelRequestContext, handler: Any
    ) -> ModelResponse:
        assert self._borrowed is not None
        async with self._borrowed.stopper.stoppable():
            response: ModelResponse = await handler(request_context)
        return response

    async def wrap_tool_execute(
        self,
        ctx: RunContext[object],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, object],
        handler: Any,
    ) -> Any:
        assert self._borrowed is not None
        async with self._borrowed.stopper.stoppable():
            return await super().wrap_tool_execute(
                ctx, call=call, tool_def=tool_def, args=args, handler=handler
            )

    def _raise_failed(self, failed: RunError, error: BaseException) -> NoReturn:
        raise error

    def _reason(self, error: BaseException) -> Exception:
        """Why there is no answer, as the rows tell it."""
        if isinstance(error, Exception):
            explained = self.explained(error) or run_error(error)
            if explained is not error and explained.__cause__ is None:
                explained.__cause__ = error
            return explained
        return RunInterrupted("The agent's run was cancelled")


class AlreadyRecorded(AbstractCapability[object]):
    """Replaces `Persisted` in a run of a `Chat`, which records by itself."""


async def message_history(
    backend: Backend, chat_id: UUID | str, *, window: Window | None = None, **scope: object
) -> list[ModelMessage]:
    """Return the messages of a chat for Pydantic AI's `message_history=`, valid for each provider.

        history = await message_history(db, chat_id, user_id="u1")
        result = await agent.run("And now?", message_history=history)

    Returns at most what fits into the `window`. Raises `ChatNotFound` outside the scope.
    """
    window = window or Window()
    for name, value in scope.items():
        backend.store.check_column(name, value)
    found = await backend.store.get_chat(_uuid(chat_id), scope)
    if found is None:
        msg = f"There is no chat {chat_id} here"
        raise ChatNotFound(msg)
    records = await backend.store.messages(found.id, limit=window.messages, before=None)
    standing = [record for record in records if record.status != "superseded"]
    whole = await backend.store.with_files(window.cut(standing))
    return history_of(whole, is_going_on=False)


def _uuid(chat_id: UUID | str | None) -> UUID:
    if chat_id is None:
        msg = "This run has no conversation_id: give Persisted(db, chat_id=...)"
        raise ConfigurationError(msg)
    return checked_id(chat_id) or uuid5(NAMESPACE_URL, f"conversation:{chat_id}")
