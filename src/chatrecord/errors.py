"""Every error of the library, under one root.

    ChatRecordError
    ├── ConfigurationError          something about the set-up has to change
    │   ├── AgentMismatch           the chat belongs to another agent
    │   ├── KeyMissing              a key that something was encrypted with was not given
    │   └── UnknownPrice            a cost limit on a model whose price nobody knows
    ├── ChatNotFound                no such chat within this scope
    ├── ChatExists                  a chat that is to be imported is there already
    ├── ImportInvalid               what is to be imported is not what it should be
    ├── RunNotFound                 no such run in this chat
    ├── ChatBusy                    another run of this chat is active
    │   ├── SentBefore              this idempotency key was used for another question
    │   └── ApprovalPending         a tool call waits to be approved or denied
    ├── MessageNotFound             no such message in this chat, or none that fits
    ├── AttachmentNotFound          no such file in this chat, or not any more
    ├── NothingToResume             the last run has ended well, or there is none
    ├── DatabaseFailed              the database could not be reached, read or written
    └── RunError                    the run ended without a final answer; what came is stored
        ├── RunInterrupted          cancelled, or cut off by a vanished consumer
        │   ├── RunStopped          somebody asked for it, with `chat.stop()`
        │   ├── StreamTruncated     the provider's stream ended without its end marker
        │   └── LeaseLost           another process took the run for dead, and ended it
        ├── ProviderError           the provider refused or failed
        │   ├── RateLimited         come back after `retry_after` seconds
        │   ├── ContextTooLong      the history does not fit: narrow the window
        │   └── StreamStalled       no output for longer than the idle timeout
        ├── ToolFailed              a tool raised
        ├── HookFailed              a hook raised
        ├── Refused                 a hook refused the question or the answer
        ├── AnswerInvalid           the model's answer never fitted what was asked for
        └── LimitExceeded           a guard of yours said no
            ├── AttachmentTooLarge  a file is larger than allowed: nothing was stored
            ├── BudgetExceeded      an owner's budget is used up until `renews_at`
            ├── TimeLimitExceeded
            ├── StepLimitExceeded
            ├── ToolCallLimitExceeded
            ├── TokenLimitExceeded
            └── CostLimitExceeded

The original exception is always the `__cause__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class ChatRecordError(Exception):
    """The root: catch this to catch everything this library raises on purpose."""


class ConfigurationError(ChatRecordError):
    """Something about the set-up has to change; the message names it."""


class AgentMismatch(ConfigurationError):
    """The chat was created with an agent of another name."""


class KeyMissing(ConfigurationError):
    """Something was encrypted with a key that the Database was not given."""


class UnknownPrice(ConfigurationError):
    """A cost limit is set, but nobody knows what this model costs."""


class ChatNotFound(ChatRecordError):
    """There is no chat of this id within the scope it was asked for."""


class ChatExists(ChatRecordError):
    """A chat that is to be imported, or a part of it, is in this database already."""


class ImportInvalid(ChatRecordError):
    """What is to be imported is not what it should be: nothing of it was written.

    `line` is the number of the line, or of the message, that is wrong, from 1 (`None` where it is
    none of them).
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class ChatBusy(ChatRecordError):
    """Another run of this chat is active: `run_id` says which."""

    def __init__(self, message: str, *, run_id: UUID | None = None) -> None:
        super().__init__(message)
        self.run_id = run_id


class SentBefore(ChatBusy):
    """This idempotency key was used for another question, in the run `run_id`."""


class ApprovalPending(ChatBusy):
    """The run `run_id` waits for tool calls to be approved or denied."""


class MessageNotFound(ChatRecordError):
    """There is no message of this id in this chat, or none that can be edited."""


class AttachmentNotFound(ChatRecordError):
    """There is no file of this hash in this chat, or it was deleted from where it was kept."""


class NothingToResume(ChatRecordError):
    """The chat's last run has ended well, or there is none, or the chat has gone on since."""


class RunNotFound(ChatRecordError):
    """There is no run of this id in this chat, or no run at all."""


class DatabaseFailed(ChatRecordError):
    """The database could not be reached, read or written; the driver's error is the cause.

    The message never holds what was to be written. `may_pass` tells whether the same may well
    succeed in a moment: after a lost connection, a deadlock, a timeout or a failover. `undone`
    tells whether it is known that nothing was written then. `refused_value` tells that the database
    will never take a value that was to be written.
    """

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool = False,
        undone: bool = False,
        refused_value: bool = False,
    ) -> None:
        super().__init__(message)
        self.may_pass = may_pass
        self.undone = undone
        self.refused_value = refused_value


class RunError(ChatRecordError):
    """A run ended without a final answer.

    What has arrived by then is stored: `run_id` names the run, `text` is its partial answer.
    """

    run_id: UUID | None = None
    text: str = ""

    def attach_context(self, run_id: UUID, text: str) -> None:
        """This is the run that it ended, and how far its answer came."""
        self.run_id, self.text = run_id, text


class RunInterrupted(RunError):
    """The run was stopped or cancelled before its end."""


class RunStopped(RunInterrupted):
    """Somebody ended the run: `chat.stop()`, or a question with `on_busy="interrupt"`."""


class StreamTruncated(RunInterrupted):
    """The provider's stream ended without its end marker, so the answer may be cut off."""


class LeaseLost(RunInterrupted):
    """This process was silent for so long that another took the run for dead, and ended it."""


class ProviderError(RunError):
    """The provider refused the request or failed while answering it.

    `http_status` is the status it sent (`None` where there was none), `retry_after` the seconds it
    asked to wait (`None` where it did not say).
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after = retry_after


class RateLimited(ProviderError):
    """Too many requests: wait `retry_after` seconds, or longer where the provider did not say."""


class ContextTooLong(ProviderError):
    """The history does not fit into the model's context: narrow the chat's window."""


class StreamStalled(ProviderError):
    """The provider sent nothing for longer than the idle timeout."""


class ToolFailed(RunError):
    """A tool raised an exception, which is the cause of this one."""


class HookFailed(RunError):
    """A hook raised an exception, which is the cause of this one; the message says which hook."""


class Refused(RunError):
    """A hook refused the question or the answer. Raise it in one: `raise Refused("Too long")`.

    What was refused is kept as superseded, so that it is not sent again. The message is the reason,
    and `text` stays empty.
    """

    def attach_context(self, run_id: UUID, text: str) -> None:
        self.run_id = run_id


class AnswerInvalid(RunError):
    """The model's answer never fitted the output type or the tools it was given."""


class LimitExceeded(RunError):
    """A guard stopped the run before it spent more."""


class BudgetExceeded(LimitExceeded):
    """A budget is used up.

    `by` is the column it is kept by (`None` for all chats together), `whose` the value there, and
    `renews_at` the moment from which on there is a new one (`None` for never).
    """

    def __init__(
        self,
        message: str,
        *,
        by: str | None = None,
        whose: object = None,
        renews_at: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.by = by
        self.whose = whose
        self.renews_at = renews_at


class AttachmentTooLarge(LimitExceeded):
    """A file of the question is larger than allowed. Nothing was stored, and there is no run."""


class TimeLimitExceeded(LimitExceeded):
    """The run took longer than its total timeout."""


class StepLimitExceeded(LimitExceeded):
    """The run would have needed more model calls than allowed."""


class ToolCallLimitExceeded(LimitExceeded):
    """The model asked for more tool calls than allowed."""


class TokenLimitExceeded(LimitExceeded):
    """The next request would have gone over the token limit of the run or of the chat."""


class CostLimitExceeded(LimitExceeded):
    """The next request would have gone over the cost limit of the run or of the chat."""


def error_from_text(stored: str, *, otherwise: type[RunError]) -> RunError:
    """The error that the row of a run tells of: its class and its message."""
    name, _, message = stored.partition(": ")
    kind = _by_name(RunError).get(name)
    return kind(message) if kind else otherwise(stored)


def _by_name(kind: type[RunError]) -> dict[str, type[RunError]]:
    below = [_by_name(each) for each in kind.__subclasses__()]
    return {kind.__name__: kind} | {name: each for known in below for name, each in known.items()}
