"""The rows of a live run: changed in memory first, and written together."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from time import perf_counter
from uuid import UUID

from chatrecord.errors import RunInterrupted
from chatrecord.records import Message, Run, ToolCall
from chatrecord.store.changes import Changes, JournalEntry, Lease

from .cancellation import run_to_completion
from .chunk_buffer import ChunkBuffer
from .fenced_writer import FencedWriter
from .policies import Deliver


class LiveRows:
    """Rows change in memory first (`_changes`) and go out together with the next commit.

    Chunks wait (`_chunks`) until a commit or a flush of the journal has stored what they show.
    """

    def __init__(self, run: Run, writing: FencedWriter, deliver: Deliver) -> None:
        self.lock = asyncio.Lock()
        self.run = run
        self.messages: list[Message] = []
        self.tool_calls: dict[str, ToolCall] = {}
        self.calls_without_result: dict[str, ToolCall] = {}
        # A connection that is opened in a commit keeps the context it was opened in, as long as it
        # is in the pool. The LLM library's holds the whole run: this one is from before that.
        self._context = copy_context()
        self._writing = writing
        self._chunks = ChunkBuffer(is_early=deliver == "early")
        self._changes = Changes(run.chat_id)
        self._settled = 0
        """How many of the messages have their final form."""
        self._given_up = False

    @property
    def chat_id(self) -> UUID:
        """The chat of the run."""
        return self.run.chat_id

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return self.run.id

    @property
    def answer(self) -> Message:
        """The answer that is being written, or was written last."""
        return next(message for message in reversed(self.messages) if message.role == "assistant")

    # What the journal asks for

    def entries(self) -> list[JournalEntry]:
        return self._chunks.entries()

    def stored(self) -> None:
        self._chunks.stored()

    # Writing

    async def commit(self) -> None:
        """Write all changes in one transaction, then hand on the chunks that show them.

        Changes made by calls that run side by side go out together.
        """
        await run_to_completion(self._committed(), self._context)

    async def _committed(self) -> None:
        try:
            await self._commit()
        except asyncio.CancelledError:  # the end of a loop cancels every task, and waits for them
            await self._commit()

    async def _commit(self) -> None:
        async with self.lock:
            await asyncio.sleep(0)
            changes, self._changes = self._changes, Changes(self.run.chat_id)
            # By these changes: more may come while they are written.
            shown = self._chunks.before(self._open_answer_id())
            began = perf_counter()
            changes.journaled = self._whole_by(changes)
            try:
                await self._writing.write(changes, self._new_lease())
            except BaseException:
                self._changes = changes.followed_by(self._changes)
                raise
            self._chunks.journaled -= changes.journaled
            if shown:
                self._chunks.hand_on(shown, since=began)

    def _new_lease(self) -> Lease:
        return self._writing.next_lease(self.run)

    def _whole_by(self, changes: Changes) -> set[UUID]:
        written = {*changes.new, *changes.changed}
        open_answer = self._open_answer_id()
        return {
            message
            for message in self._chunks.journaled
            if message in written and message != open_answer
        }

    def _open_answer_id(self) -> UUID | None:
        return self.answer.id if self.answer.status == "streaming" else None

    # Changes of rows

    def _next_seq(self) -> int:
        self._changes.next_seq = self.messages[-1].seq + 2
        return self.messages[-1].seq + 1

    def _add_message(self, message: Message) -> None:
        self.messages.append(message)
        self._changes.add(message)

    def _put_message(self, message: Message) -> None:
        place = next(i for i, known in enumerate(self.messages) if known.id == message.id)
        self.messages[place] = message
        self._changes.put(message)

    def _put_tool_call(self, call: ToolCall) -> None:
        self.calls_without_result[call.call_id] = self.tool_calls[str(call.id)] = call
        self._changes.put(call)

    def _check_goes_on(self) -> None:
        """Raise in whatever did not let go of the run when it was given up, and goes on."""
        if self._given_up:
            msg = f"Run {self.run.id} has ended: nothing more is asked or run in it"
            raise RunInterrupted(msg)
