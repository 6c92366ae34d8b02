"""How a run gets its first rows, or is taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from chatrecord.errors import ChatBusy, LeaseLost
from chatrecord.llm.port import LLM
from chatrecord.records import Message, Run, Usage
from chatrecord.store.rows import RunStart
from chatrecord.store.times import marked

from .journal import Journal
from .recorder import RunRecorder
from .resumption import decisions_of, worth_sending
from .run_spec import RunSpec, initial_rows
from .stores import LiveRunStore


@dataclass(slots=True)
class OpenedRun:
    """A run that can be worked on: what records it, and what is sent."""

    recorder: RunRecorder
    history: Sequence[Message]
    decisions: dict[str, Literal[True] | str] = field(default_factory=dict)
    """Of the calls that waited for approval, by their ids."""

    def repeat_calls(self, llm: LLM) -> None:
        """Calls that were interrupted are run again, where their tools are safe to repeat."""
        again = self.recorder.repeat(llm.repeatable, llm.answers)
        if again:
            written = {message.id for message in self.recorder.messages}
            before = [message for message in self.history if message.id not in written]
            self.history = [*before, *worth_sending(self.recorder.messages)]
            self.decisions |= dict.fromkeys(again, True)


@dataclass(frozen=True, slots=True)
class RunOpening:
    """Opens one run in the database."""

    store: LiveRunStore
    journal: Journal
    llm: LLM
    spec: RunSpec
    run_id: UUID

    async def opened(self, used: Usage) -> OpenedRun:
        """The run, which is this process's from now on. `used` is the usage of its chat."""
        return await (self._reopened(used) if self.spec.resumes else self._begun(used))

    def start(self) -> RunStart:
        """The rows that a new run begins with."""
        journal = self.journal
        return initial_rows(
            self.spec, self.llm, self.run_id, owner=journal.owner, lease=journal.lease
        )

    async def _begun(self, used: Usage) -> OpenedRun:
        start = self.start()
        begun = await self.store.begin(start)
        recorder = self._new_recorder(start.run, used)
        recorder.begin(start, begun.seq)
        history = self.spec.policies.window.cut(begun.history)
        if start.begins is not None and start.prompt is not None:  # the adapter is not given it
            history = [*history, recorder.messages[0]]
        return OpenedRun(recorder, history)

    async def _reopened(self, used: Usage) -> OpenedRun:
        assert self.spec.resumes is not None
        await self._wait_for_the_old_task(self.spec.resumes)
        until, owner = marked(datetime.now(UTC) + self.journal.lease), self.journal.owner
        run = await self.store.reopen(self.spec.resumes, owner=owner, until=until)
        if run is None:
            msg = f"Run {self.run_id} is already resumed by another process"
            raise ChatBusy(msg, run_id=self.run_id)
        rows = await self.store.rows_of(run)
        window, first = self.spec.policies.window, run.replaces or rows.messages[0].seq
        compacts = self.spec.policies.compact is not None
        before = await self.store.history(run.chat_id, window, before=first, with_summary=compacts)
        recorder = self._new_recorder(run, used)
        recorder.go_on(rows)
        return OpenedRun(
            recorder,
            [*window.cut(before), *worth_sending(rows.messages)],
            decisions_of(list(recorder.calls_without_result.values())),
        )

    async def _wait_for_the_old_task(self, resumed: Run) -> None:
        """This process may still work on the run, which another has taken over and ended since."""
        now = datetime.now(UTC)
        old = self.journal.live(resumed.id)
        if old is None or old.lease(now).epoch > resumed.epoch:
            return
        old.stop(LeaseLost(f"Run {resumed.id} was taken over, and is resumed"))
        try:
            async with asyncio.timeout(self.journal.patience):
                await old.ended()
        except TimeoutError as error:
            msg = f"Run {resumed.id} is still being ended in this process: try again in a moment"
            raise ChatBusy(msg, run_id=resumed.id) from error

    def _new_recorder(self, run: Run, used: Usage) -> RunRecorder:
        return RunRecorder(
            self.store,
            run,
            lease=self.journal.lease,
            patience=self.journal.patience,
            limits=self.spec.policies.limits,
            chat_usage=used,
            deliver=self.spec.policies.deliver,
            budgets=self.spec.policies.budgets,
            prices=self.spec.policies.prices,
            hooks=self.spec.policies.hooks,
        )
