"""Which messages of a chat stood beside each other when: its branches, from its rows.

A run appends its messages, or replaces those from a number on. A branch that was restored makes
the messages current that were so before. From these three the timeline is derived, step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast
from uuid import UUID

from chatrecord.errors import Refused, RunError, error_from_text
from chatrecord.records import MessageStatus
from chatrecord.store.branch_store import MessageHead, Numbers, Outline, Restored, RunHead


class Timeline:
    """The branches of one chat."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._by_seq = {message.seq: message for message in outline.messages}
        self._of_id = {message.id: message for message in outline.messages}
        self._last: dict[int, tuple[int, ...]] = {}
        self.current: tuple[int, ...] = ()
        self._go_through()

    def _go_through(self) -> None:
        restored = list(self._outline.restored)
        for run, messages in self._steps():
            first = messages[0].seq
            while restored and restored[0].before <= first:
                self._become(self._expanded(restored.pop(0).current))
            replaces = None if run is None else run.replaces
            standing = tuple(it.seq for it in messages)
            if replaces is not None:
                self._become((*(seq for seq in self.current if seq < replaces), *standing))
            else:
                self.current += standing
        for each in restored:
            self._become(self._expanded(each.current))
        self._become(())
        self.current = tuple(
            it.seq for it in self._outline.messages if it.status not in ("superseded", "streaming")
        )

    def _become(self, current: tuple[int, ...]) -> None:
        for seq in set(self.current).difference(current):
            self._last[seq] = self.current
        self.current = current

    def _steps(self) -> Iterator[tuple[RunHead | None, list[MessageHead]]]:
        """The messages of each run that had a place in the chat, in their order."""
        for run_id, group in groupby(self._outline.messages, lambda message: message.run_id):
            run = None if run_id is None else self._outline.runs.get(run_id)
            messages = list(group)
            if run is None or _counted(run):
                was_resumed = run is not None and run.epoch > 1
                yield run, _without_partial(messages) if was_resumed else messages

    def _expanded(self, ranges: Iterable[Numbers]) -> tuple[int, ...]:
        return tuple(
            it.seq
            for it in self._outline.messages
            if any(first <= it.seq <= last for first, last in ranges)
        )

    @property
    def has_active_run(self) -> bool:
        """Whether a run holds the chat: one that is queued does so once it has begun."""
        begun = {message.run_id for message in self._outline.messages}
        return any(
            run.status in ("running", "parked") or (run.status == "queued" and run.id in begun)
            for run in self._outline.runs.values()
        )

    @property
    def current_messages(self) -> list[MessageHead]:
        """The messages that are not superseded."""
        return [self._by_seq[seq] for seq in self.current]

    def message(self, message_id: UUID) -> MessageHead | None:
        """The message of this id, if it had a place in the chat, or else the last of its run.

        It may also be the id of a run.
        """
        found = self._of_id.get(message_id)
        if found is not None and found.seq in self._last:
            return found
        run_id = message_id if found is None else found.run_id
        of_run = [it for it in self._placed() if run_id is not None and it.run_id == run_id]
        return of_run[-1] if of_run else None

    def run_of(self, message: MessageHead) -> RunHead | None:
        """The run that wrote it."""
        return None if message.run_id is None else self._outline.runs.get(message.run_id)

    def branch_of(self, message: MessageHead) -> list[MessageHead]:
        """All messages that stood beside this one when it was current for the last time."""
        return [self._by_seq[seq] for seq in self._last[message.seq]]

    def is_current(self, message: MessageHead) -> bool:
        """Whether it is not superseded."""
        return message.seq in self.current

    def versions_of(self, message: MessageHead) -> list[MessageHead]:
        """This message and all that were in its place: questions, or the last of each answer."""
        if message.role == "user":
            root = self._root_of(message)
            questions = (it for it in self._placed() if it.role == "user")
            return [it for it in questions if self._root_of(it) == root]
        asked = self._question_of(message)
        answers = {
            it.run_id or it.id: it for it in self._placed() if it.role == "assistant"
        }  # the last of each run
        return [it for it in answers.values() if self._question_of(it) == asked]

    def _placed(self) -> Iterator[MessageHead]:
        return (it for it in self._outline.messages if it.seq in self._last)

    def _root_of(self, question: MessageHead) -> int:
        """The number of the question that was edited first."""
        while (replaced := self._edited_by(question)) is not None:
            question = replaced
        return question.seq

    def _edited_by(self, question: MessageHead) -> MessageHead | None:
        run = self.run_of(question)
        found = None if run is None or run.replaces is None else self._by_seq.get(run.replaces)
        return found if found is not None and found.role == "user" else None

    def _question_of(self, answer: MessageHead) -> int | None:
        """The number of the question that was answered."""
        branch = self._last[answer.seq]
        before = branch[: branch.index(answer.seq)]
        questions = (seq for seq in reversed(before) if self._by_seq[seq].role == "user")
        return next(questions, None)

    def statuses_of(self, messages: Sequence[MessageHead]) -> dict[UUID, MessageStatus]:
        """What the statuses of superseded messages were: the last of a run is as its run ended."""
        last = {message.run_id: message.id for message in messages}
        return {it.id: self._status_of(it, is_last=it.id == last[it.run_id]) for it in messages}

    def _status_of(self, message: MessageHead, *, is_last: bool) -> MessageStatus:
        run = self.run_of(message)
        if run is None or not is_last or message.role != "assistant":
            return "complete"
        broke_off = run.status in ("failed", "interrupted")
        return cast(MessageStatus, run.status) if broke_off else "complete"

    def restored(self, current: Sequence[MessageHead]) -> list[Restored]:
        """What was restored before, with this. A later one before the same message replaces it."""
        before = self._outline.next_seq
        earlier = [it for it in self._outline.restored if it.before < before]
        return [*earlier, Restored(before, _ranges([it.seq for it in current], self._by_seq))]


def _counted(run: RunHead) -> bool:
    """Whether its messages had a place: not those of a replacement that failed, or refused ones."""
    if run.replaces is not None:
        return run.status == "complete"
    if run.error is None:
        return True
    return not isinstance(error_from_text(run.error, otherwise=RunError), Refused)


def _without_partial(messages: Sequence[MessageHead]) -> list[MessageHead]:
    """Without what a resumed run itself has replaced: partial answers that it gave anew."""
    pairs = zip(messages, [*messages[1:], None], strict=True)
    return [
        it
        for it, after in pairs
        if it.role != "assistant" or after is None or after.role != "assistant"
    ]


def _ranges(numbers: Sequence[int], known: Iterable[int]) -> list[Numbers]:
    """Numbers as ranges in which no other number is known."""
    wanted, ranges = set(numbers), list[Numbers]()
    first: int | None = None
    last = 0
    for number in known:
        if number in wanted:
            first, last = (number if first is None else first), number
        elif first is not None:
            ranges.append((first, last))
            first = None
    return ranges if first is None else [*ranges, (first, last)]
