"""A chat whose questions are answered by workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from chatrecord.attachments.attachment import Attachable
from chatrecord.errors import ConfigurationError
from chatrecord.ids import new_id
from chatrecord.records import Message, Reply, Run, ToolCallStatus
from chatrecord.runs.cancellation import run_to_completion
from chatrecord.runs.feed import Feed
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.run_spec import RunSpec, submitted_run

from .asking_chat import AskingChat, Prompt
from .loaded_chat import Metadata, Row
from .options import Dispatch
from .stream import ChatStream

_REPLACED = "RunStopped: Its question was replaced, or another branch restored, while it was queued"


@runtime_checkable
class SubmitsRuns(Protocol):
    """A way of an adapter's own into the application's transaction."""

    async def submit_run(self, run: Run, prompt: Message | None) -> UUID:
        """Insert the run, as `RunQueueStore.submit_run` does. Returns its id."""


class SubmittingChat(AskingChat[Row, Metadata]):
    """A chat whose questions are answered by workers."""

    @property
    def _dispatch(self) -> Dispatch | None:
        return self._opened.options.get("dispatch")

    async def submit(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> UUID:
        """Store a question for a worker to answer, and return the id of its run.

            run_id = await chat.submit("What is our Q3 travel policy?")
            async for chunk in chat.follow(run_id): ...

        The run is `queued` until `Database.work_on` answers it, in any process. It may be queued
        while another run is active: the runs of a chat begin in the order of their submission. A
        question with an `idempotency_key` that was used before is the same run. With `connection`
        (an `AsyncConnection` or `AsyncSession`) it is part of your transaction: let workers know
        after the commit.

        Raises `SentBefore` if the key was used for another question, and `ChatNotFound`.
        """
        content = await self._content(prompt, attachments)
        run_spec = self._question_spec(content, None, idempotency_key)
        return await self._submitted(run_spec, connection)

    async def submit_edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        connection: object | None = None,
    ) -> UUID:
        """Store what replaces a question, for a worker to answer: see `edit` and `submit`.

        All messages are replaced that are later when its turn comes.
        """
        question = await self._current_question(message_id)
        content = await self._content(prompt, attachments)
        return await self._submitted_in_place(content, question.seq, connection)

    async def submit_regenerate(
        self, message_id: UUID | None = None, *, connection: object | None = None
    ) -> UUID:
        """Let a worker generate a new answer to a question: see `regenerate` and `submit`."""
        question = await self._question_to_answer(message_id)
        return await self._submitted_in_place(None, question.seq + 1, connection)

    async def submit_resume(self) -> UUID:
        """Let a worker continue the last run: see `resume`. Returns its id."""
        await self._current_record()
        await self._runs.repair()
        return await self._queued_again(await self._runs.to_resume())

    async def _queued_again(self, run: Run) -> UUID:
        if run.status != "queued":
            await self._runs.queue_again(run)
        return run.id

    async def _submitted_in_place(
        self, content: Prompt | None, first: int, connection: object | None
    ) -> UUID:
        return await self._submitted(await self._spec_in_place(content, None, first), connection)

    async def _submitted(self, run_spec: RunSpec, connection: object | None) -> UUID:
        owner = self._backend.runtime.journal.owner
        run, prompt = submitted_run(run_spec, self._llm, new_id(), owner=owner)
        if isinstance(connection, SubmitsRuns):
            return await connection.submit_run(run, prompt)
        return await self._backend.store.submit_run(run, prompt, connection=connection)

    # With `dispatch=`, whatever asks hands over to workers.

    async def _answering(self, run_spec: RunSpec) -> Feed:
        """The run that answers: a live one of this process, or what a worker makes of it."""
        if self._dispatch is None:
            return self._live(run_spec)
        if run_spec.output_type is not None:
            msg = (
                "output_type= is not known to workers, which dispatch= hands over to: let llm_for "
                "return an agent with this output type"
            )
            raise ConfigurationError(msg)
        if run_spec.resumes is not None:
            run_id = await self._queued_again(run_spec.resumes)
        else:
            run_id = await self._submitted(run_spec, None)
        await self._hand_over(run_id)
        return await self._runs.find(run_id)

    async def _hand_over(self, run_id: UUID) -> None:
        """Call `dispatch` for a run that waits for a worker."""
        run = await self._backend.store.get_run(self.id, run_id)
        if self._dispatch is None or run is None or run.status not in ("queued", "parked"):
            return
        handed = self._dispatch(run_id)
        if isinstance(handed, Awaitable):
            await handed

    async def _decided(
        self, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> UUID | None:
        run_id = await self._runs.decide(call_id, status=status, error=error)
        if run_id is not None:
            await self._hand_over(run_id)
        return run_id

    def _stream(self, begin: Callable[[], Awaitable[Feed]]) -> ChatStream[Any]:
        if self._dispatch is None:
            return ChatStream(begin, self._policies.on_disconnect)
        return ChatStream(begin, self._policies.on_disconnect, finish=self._typed, leave=self._left)

    async def _typed(self, reply: Reply[Any]) -> Reply[Any]:
        return await self._runs.typed(reply, None)

    async def _finished(self, reply: Reply[Any]) -> Reply[Any]:
        """A reply, with its output as the agent's type where it was read from rows."""
        return reply if self._dispatch is None else await self._typed(reply)

    async def _left(self, run: Feed) -> None:
        """Nobody reads this run any more: stop it, wherever it is."""
        if isinstance(run, LiveRun):
            run.stop()
        elif not run.finished:
            await self._runs.stop(run.id)

    async def work_on(self, run_id: UUID, *, retry: bool = False) -> Reply[Any]:
        """Answer a submitted question here: see `Database.work_on`, which loads its chat."""
        run = await self._runs.to_work_on(run_id)
        work = await self._work(run, retry=retry)
        if work is None:
            return await self._ended(run)
        try:
            return await work.reply()
        except asyncio.CancelledError:
            work.close()
            await run_to_completion(work.ended())
            raise

    async def _work(self, run: Run, *, retry: bool) -> LiveRun | None:
        """The run as this process goes on with it; `None` if there is nothing to go on with."""
        run_spec = self._run_spec(None, None, None)
        if run.question is not None and run.status != "complete":
            if run.status == "interrupted" and not self._runs.is_lost(run):
                return None
            if run.replaces is not None:
                if await self._is_for_nothing(run, run.replaces):
                    return None
                run_spec = replace(run_spec, replaces=await self._replacement(run.replaces))
            return self._live(replace(run_spec, begins=run))
        has_ended_badly = run.status in ("failed", "interrupted")
        if (
            run.status == "queued"
            or await self._runs.is_decided(run)
            or (retry and has_ended_badly and await self._runs.can_resume(run))
        ):
            return self._live(replace(run_spec, resumes=run))
        return None

    async def _is_for_nothing(self, run: Run, first: int) -> bool:
        """Whether its question was replaced while it was queued. It ends then.

        One that has begun holds its chat, where nothing is replaced meanwhile.
        """
        is_edit = isinstance(run.question, dict) and "content" in run.question
        seq = first if is_edit else first - 1
        found = await self._backend.store.messages(self.id, limit=1, before=seq + 1)
        if found and found[0].seq == seq and found[0].status != "superseded":
            return False
        return await self._backend.store.end_queued(run, _REPLACED)

    async def _ended(self, run: Run) -> Reply[Any]:
        """What has come of a run: its reply, or the error that ended it."""
        stream: ChatStream[Any] = ChatStream(
            lambda: self._runs.find(run.id), "continue", finish=self._typed
        )
        return await stream
