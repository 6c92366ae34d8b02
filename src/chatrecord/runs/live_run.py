"""One run: it starts in one transaction, works in its own task, and ends in another transaction.

The task belongs to the process, not to the readers of the answer: they only follow it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Literal
from uuid import UUID

from chatrecord.errors import (
    ChatRecordError,
    DatabaseFailed,
    HandedBack,
    HookFailed,
    LeaseLost,
    Refused,
    RunError,
    RunInterrupted,
    SentBefore,
    TimeLimitExceeded,
)
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.ids import new_id
from chatrecord.llm.port import LLM, Ask, Outcome
from chatrecord.records import Ending, Message, Usage
from chatrecord.store.changes import JournalEntry, Lease
from chatrecord.text.redaction import named, text_of

from .cancellation import Overdue, let_go_after, run_to_completion
from .compaction import compacted
from .feed import Feed
from .journal import Journal
from .partition import Partition
from .recorder import RunRecorder
from .reduction import Reduction
from .run_opening import RunOpening
from .run_queue import OtherRuns, RunQueue
from .run_result import caused, ended_run, reply_of, unstored
from .run_spec import RunSpec, question_of
from .stores import LiveRunStore


class LiveRun(Feed):
    """A run of this process, from its first transaction to its last."""

    def __init__(
        self, store: LiveRunStore, journal: Journal, llm: LLM, spec: RunSpec, others: OtherRuns
    ) -> None:
        self._store = store
        self._other_runs = others
        self._journal = journal
        self._llm = llm
        self._spec = spec
        self._began = perf_counter()
        goes_on = spec.resumes or spec.begins
        super().__init__(goes_on.id if goes_on else new_id())
        self.is_whole = spec.resumes is None
        self._opening = RunOpening(store, journal, llm, spec, self.id)
        self._recorder: RunRecorder | None = None
        self._history: Sequence[Message] = ()
        self._decisions: dict[str, Literal[True] | str] = {}
        self._hooks = RunHooks()
        self._reason: BaseException | None = None
        self._started = False
        self._is_closing = False
        journal.register(self)
        self._task = asyncio.create_task(self._run(), name=f"chatrecord run {self.id}")
        self._task.add_done_callback(self._leave)

    def stop(self, reason: BaseException | None = None) -> None:
        """End the run, and keep its partial answer. Stopping twice is stopping once."""
        if not self.finished and self._reason is None:
            self._reason = reason or RunInterrupted("The run was stopped")
            if self._started:
                self._task.cancel()

    def close(self) -> None:
        """End the run with its process. Where another worker may go on with it, one does."""
        self._is_closing = True
        self.stop(self._closed())

    def _closed(self) -> RunInterrupted | None:
        if not self._spec.is_submitted:
            return None
        return HandedBack(f"Run {self.id} is queued: this process was closed, another goes on")

    def stop_soon(self) -> None:
        """Stop from anywhere, such as a finalizer, where no loop may be running."""
        loop = self._task.get_loop()
        if not self.finished and not loop.is_closed():
            loop.call_soon_threadsafe(self.stop)

    # What the journal asks for

    @property
    def chat_id(self) -> UUID:
        """The chat it belongs to."""
        return self._spec.chat_id

    @property
    def partition(self) -> Partition | None:
        """What its rows are written with."""
        return self._spec.partition

    @property
    def lock(self) -> asyncio.Lock:
        """Held while something of the run is being written."""
        assert self._recorder is not None
        return self._recorder.lock

    @property
    def leased_until(self) -> datetime:
        """The end of the lease that it began with."""
        assert self._recorder is not None
        return self._recorder.run.lease_until

    def lease(self, until: datetime) -> Lease:
        """The run's lease, extended until then."""
        assert self._recorder is not None
        run = self._recorder.run
        return Lease(run.id, run.owner, run.epoch, until)

    def entries(self) -> Sequence[JournalEntry]:
        """The pieces that are not stored yet."""
        assert self._recorder is not None
        return self._recorder.entries()

    def stored(self) -> None:
        """Those pieces are stored."""
        assert self._recorder is not None
        self._recorder.stored()

    # Its life

    def _leave(self, _task: asyncio.Task[None]) -> None:
        """The task has ended, perhaps before its first step: nothing waits for it."""
        self._journal.unregister(self)
        if not self.finished:
            self._finish(self._reason or RunInterrupted(f"Run {self.id} was cancelled"))

    async def _run(self) -> None:
        self._started = True
        if self._reason is not None:
            self._finish(self._reason)
            return
        try:
            await self._begin()
        except SentBefore as sent:
            await self._repeat(sent)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised to the reader
            if self._recorder is None:
                await self._undo_start(error)
                self._finish(self._reason or error)
            else:
                await self._fail(self._recorder, self._explained(error))
        else:
            assert self._recorder is not None
            await self._execute(self._recorder)

    async def _undo_start(self, error: BaseException) -> None:
        """End a run that started unnoticed: its transaction was cut off at its commit."""
        if isinstance(error, asyncio.CancelledError):
            with suppress(ChatRecordError, asyncio.CancelledError):
                # Closing the database stops it once more.
                why = "The run ended as it began"
                await run_to_completion(self._other_runs.end(self.id, why, requeues=True))

    async def _begin(self) -> None:
        await RunQueue(
            self._store,
            self._spec,
            self._other_runs,
            self._journal.lease,
            open=self._open,
            start=self._opening.start,
            process_ends=lambda: self._is_closing or self._reason is None,
        ).begin()

    async def _repeat(self, sent: SentBefore) -> None:
        """The same was sent before: give the same answer."""
        assert sent.run_id is not None
        try:
            await self._check_same(sent.run_id)
            self._run_id = sent.run_id
            first = await self._other_runs.find(sent.run_id)
            self._mark_request_sent()
            place = 0
            while (chunk := await first.chunk(place)) is not None:
                self._deliver([chunk])
                place += 1
            self._finish(
                None, await self._other_runs.typed(await first.reply(), self._spec.output_type)
            )
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised to the reader
            self._finish(self._reason or error)

    async def _check_same(self, run_id: UUID) -> None:
        """Raise where this key was used for another question."""
        run = await self._store.get_run(self.chat_id, run_id)
        kept = run.settings if run is not None and isinstance(run.settings, dict) else {}
        if kept.get("question") != question_of(self._spec, self._llm):
            msg = f"This key was used for another question, in run {run_id}: use a new key"
            raise SentBefore(msg, run_id=run_id)

    async def _open(self) -> None:
        spec, used = self._spec, Usage()
        if spec.policies.limits.need_chat_usage:
            used = await self._store.usage(spec.chat_id)
        opened = await self._opening.opened(used)
        recorder = opened.recorder
        recorder.subscribe(self._deliver, self._request_flush, self._mark_request_sent)
        self._recorder = recorder
        if spec.parent is not None:
            spec.parent.add_child(recorder)
        self._hooks = RunHooks(spec.policies.hooks, recorder)
        if spec.resumes:
            opened.repeat_calls(self._llm)
            self._mark_request_sent()  # tools may run before its LLM is asked
        self._history, self._decisions = opened.history, opened.decisions

    def _request_flush(self) -> None:
        """A reader waits for the first piece. The whole answer alone can wait for the flush."""
        if self._followed:
            self._journal.request_flush(self)

    async def _execute(self, recorder: RunRecorder) -> None:
        self._journal.add(self)
        try:
            outcome = await self._work(recorder)
            if not outcome.parked:
                await self._tell_hooks(recorder, "complete", outcome=outcome)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - written down and handed on
            await self._fail(recorder, self._explained(error))
        else:
            await self._complete(recorder, outcome)
        finally:
            self._journal.remove(self)

    async def _work(self, recorder: RunRecorder) -> Outcome:
        limit = self._spec.policies.limits.total_timeout
        try:
            return await let_go_after(self._ask(recorder), limit)
        except Overdue as error:
            msg = f"The run took longer than {limit:g} s: raise Limits(total_timeout=...)"
            raise TimeLimitExceeded(msg) from error

    async def _ask(self, recorder: RunRecorder) -> Outcome:
        spec, asked = self._spec, recorder.question
        ask = Ask(spec.content, spec.output_type, self._decisions, self._hooks, asked)
        try:
            history = await self._store.with_files(await self._compacted(recorder))
            return await self._llm.run(history, ask, recorder)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as error:  # such as a panic of an extension, or sys.exit() in a client
            msg = f"The run failed: {named(error)}"
            raise RunError(msg) from error

    async def _compacted(self, recorder: RunRecorder) -> Sequence[Message]:
        policies = self._spec.policies
        if policies.compact is None:
            return self._history
        return await compacted(
            self._history,
            policies.compact,
            policies.window,
            llm=self._llm,
            ledger=recorder,
            hooks=policies.hooks,
        )

    def _explained(self, error: BaseException) -> ChatRecordError:
        if self._reason is not None:
            error = self._reason
        if isinstance(error, ChatRecordError):
            return error
        if isinstance(error, asyncio.CancelledError):
            lost = RunInterrupted("The run was cancelled with its event loop")
            return caused(self._closed() or lost, error)
        return caused(RunError(f"The run failed: {named(error)}"), error)

    async def _complete(self, recorder: RunRecorder, outcome: Outcome) -> None:
        try:
            self._settle(recorder, outcome)
            await recorder.commit()
        except asyncio.CancelledError:
            pass  # it came too late: the answer is whole, and stored
        except Exception as error:  # noqa: BLE001 - an answer that is not stored is no answer
            await self._fail(recorder, unstored(error))
            return
        self._finish(None, reply_of(recorder, outcome, self._elapsed_ms()))

    def _settle(self, recorder: RunRecorder, outcome: Outcome) -> None:
        recorder.settle(outcome.bodies)
        if outcome.parked:
            recorder.park(outcome.parked)
            recorder.end(replace(recorder.run, status="parked"))
            return
        if recorder.run.replaces is not None:
            recorder.replace_from(recorder.run.replaces)
        recorder.end(ended_run(recorder.run, "complete", None))

    def _elapsed_ms(self) -> float:
        return (perf_counter() - self._began) * 1000

    async def _fail(self, recorder: RunRecorder, error: ChatRecordError) -> None:
        try:
            await self._store_failure(recorder, error)
        except asyncio.CancelledError:
            pass  # stopped twice is stopped
        except LeaseLost as lost:
            error.add_note(f"Its end could not be stored: {lost}")
        except Exception as unwritten:  # noqa: BLE001 - the first error is the one to tell
            error.add_note(f"Its end could not be stored: {named(unwritten)}")
            if not (isinstance(unwritten, DatabaseFailed) and unwritten.may_pass):
                await self._end_by_rows(error)
        self._finish(error)

    async def _store_failure(self, recorder: RunRecorder, error: ChatRecordError) -> None:
        recorder.give_up(error, self._llm.answers)
        status: Ending = "interrupted" if isinstance(error, RunInterrupted) else "failed"
        if isinstance(error, RunError):
            error.attach_context(recorder.run.id, recorder.answer.text)
        if isinstance(error, HandedBack):
            if recorder.run.replaces is not None:
                recorder.withdraw()
            recorder.end(replace(recorder.run, status="queued"))
            await self._commit_what_is_taken(recorder)
            return
        try:
            await self._tell_hooks(recorder, status, error=error)
        except asyncio.CancelledError:
            pass  # stopped twice is stopped
        except ChatRecordError as failure:
            error.add_note(text_of(failure))
        recorder.end(ended_run(recorder.run, status, named(error)), error)
        if recorder.run.replaces is not None or isinstance(error, Refused):
            recorder.withdraw()
        await self._commit_what_is_taken(recorder)

    async def _tell_hooks(
        self,
        recorder: RunRecorder,
        status: Ending,
        *,
        outcome: Outcome | None = None,
        error: ChatRecordError | None = None,
    ) -> None:
        if not self._hooks.hear_of_ends:
            return
        limit = self._spec.policies.limits.hook_timeout
        reply = None if outcome is None else reply_of(recorder, outcome, self._elapsed_ms())
        try:
            await let_go_after(self._hooks.on_run_end(status, reply=reply, error=error), limit)
        except Overdue as late:
            msg = f"on_run_end took longer than {limit:g} s: raise Limits(hook_timeout=...)"
            raise HookFailed(msg) from late

    async def _commit_what_is_taken(self, recorder: RunRecorder) -> None:
        """Store the end; where a value of it is refused, then the end without that."""
        reduction = Reduction(self._llm.answers)
        while True:
            try:
                return await recorder.commit()
            except DatabaseFailed as error:
                if not error.refused_value or not recorder.reduce(reduction):
                    raise

    async def _end_by_rows(self, error: ChatRecordError) -> None:
        """The last resort: the run ends as what is stored of it tells, and the chat is free."""
        self._journal.remove(self)
        with suppress(Exception, asyncio.CancelledError):  # the error is already raised
            goes_on = isinstance(error, HandedBack)
            await run_to_completion(self._other_runs.end(self.id, named(error), requeues=goes_on))
