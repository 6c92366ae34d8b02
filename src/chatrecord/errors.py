"""Every error of the library, under one root.

    ChatRecordError
    ├── ConfigurationError          the set-up must change
    │   ├── AgentMismatch           the chat belongs to another agent
    │   ├── KeyMissing              rows are encrypted with a key that was not given
    │   ├── SearchUnavailable       there is no search index, or texts are encrypted
    │   └── UnknownPrice            a cost limit on a model whose price is unknown
    ├── ChatNotFound                no such chat within this scope
    ├── ChatExists                  the chat to import already exists
    ├── ImportInvalid               the import is invalid
    ├── RunNotFound                 no such run in this chat
    ├── ChatBusy                    another run of this chat is active
    │   ├── AnsweredElsewhere       another worker is answering this run
    │   ├── SentBefore              this idempotency key was used for another question
    │   └── ApprovalPending         a tool call must be approved or denied
    ├── MessageNotFound             no such message, or it cannot be replaced
    ├── AttachmentNotFound          no such file in this chat, or it was deleted
    ├── NothingToResume             the last run completed, or it cannot be resumed
    ├── DatabaseFailed              the database could not be reached, read or written
    │   └── SchemaError             a table or a column is missing or different: migrate
    └── RunError                    no final answer; the partial answer is stored
        ├── RunInterrupted          cancelled or stopped before its end
        │   ├── RunStopped          stopped with `chat.stop()` or by another question
        │   ├── HandedBack          this process was closed: another worker goes on
        │   ├── StreamTruncated     the provider's stream ended without its end marker
        │   └── LeaseLost           another process considered the run dead and ended it
        ├── ProviderError           the provider refused or failed
        │   ├── RateLimited         try again after `retry_after` seconds
        │   ├── ContextTooLong      the history does not fit: narrow the window
        │   └── StreamStalled       no output for longer than the idle timeout
        ├── WorkersDied             each worker that answered the run died
        ├── ToolFailed              a tool raised
        ├── HookFailed              a hook raised
        ├── Refused                 a hook refused the question or the answer
        ├── AnswerInvalid           the answer did not match the output type or the tools
        │   └── AnswerRefused       the model or its provider refused to answer
        └── LimitExceeded           a limit was reached
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

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID


class ChatRecordError(Exception):
    """The root: catch it to catch all errors of this library."""


class ConfigurationError(ChatRecordError):
    """The set-up must change; the message says how."""


class AgentMismatch(ConfigurationError):
    """The chat was created with an agent of another name."""


class KeyMissing(ConfigurationError):
    """Rows are encrypted with a key that the `Database` was not given."""


class SearchUnavailable(ConfigurationError):
    """There is no search index yet, which `db.create_search()` creates; or texts are encrypted.

    Of a search by meaning: there is no table of vectors, or the database cannot have one.
    """


class UnknownPrice(ConfigurationError):
    """A cost limit is set, but the price of the model is unknown."""


class ChatNotFound(ChatRecordError):
    """There is no chat with this id in the given scope."""


class ChatExists(ChatRecordError):
    """The chat to import, or a part of it, already exists in this database."""


class ImportInvalid(ChatRecordError):
    """The import is invalid; nothing was written.

    `line` is the number of the invalid line, or message, from 1 (`None` if it is none of them).
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class ChatBusy(ChatRecordError):
    """Another run of this chat is active: `run_id` is its id."""

    def __init__(self, message: str, *, run_id: UUID | None = None) -> None:
        super().__init__(message)
        self.run_id = run_id


class AnsweredElsewhere(ChatBusy):
    """Another worker is answering the run `run_id`, or this process is already."""


class SentBefore(ChatBusy):
    """This idempotency key was used for another question, in the run `run_id`."""


class ApprovalPending(ChatBusy):
    """Tool calls of the run `run_id` must be approved or denied."""


class MessageNotFound(ChatRecordError):
    """There is no message with this id in this chat, or it cannot be replaced."""


class AttachmentNotFound(ChatRecordError):
    """There is no file with this hash in this chat, or its content was deleted."""


class NothingToResume(ChatRecordError):
    """The chat's last run completed, cannot be resumed, or the chat has newer messages."""


class RunNotFound(ChatRecordError):
    """There is no run with this id in this chat, or no run at all."""


class DatabaseFailed(ChatRecordError):
    """The database could not be reached, read or written; the driver's error is the cause.

    The message never contains the values of a row. `may_pass`: True if a retry may succeed: after a
    lost connection, a deadlock, a timeout or a failover. `undone`: True if it is certain that
    nothing was written. `refused_value`: True if the database never accepts a value that was to be
    written.
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


@dataclass(frozen=True)
class SchemaDifference:
    """What has to change in the database: in a `table`, and in a `column` unless it is `None`.

    `what` says it in words.
    """

    table: str
    column: str | None
    what: str

    def __str__(self) -> str:
        place = self.table if self.column is None else f"{self.table}.{self.column}"
        return f"{place}: {self.what}"


class SchemaError(DatabaseFailed):
    """The tables are not what the models say: `differences` are all of them, at least one.

    Run `chatrecord migrate` for the ready-made tables, or a migration of your own.
    """

    def __init__(self, message: str, differences: Sequence[SchemaDifference]) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class RunError(ChatRecordError):
    """A run ended without a final answer.

    Its partial answer is stored: `run_id` is the run, `text` its partial answer.
    """

    run_id: UUID | None = None
    text: str = ""

    def attach_context(self, run_id: UUID, text: str) -> None:
        """Set the run and its partial answer."""
        self.run_id, self.text = run_id, text


class RunInterrupted(RunError):
    """The run was stopped or cancelled before its end."""


class RunStopped(RunInterrupted):
    """The run was stopped with `chat.stop()`, or by a question with `on_busy="interrupt"`."""


class HandedBack(RunInterrupted):
    """This process was closed while it answered: the run is queued, and another worker goes on."""


class StreamTruncated(RunInterrupted):
    """The provider's stream ended without its end marker, so the answer may be cut off."""


class LeaseLost(RunInterrupted):
    """Another process considered the run dead, because this one wrote nothing, and ended it."""


class ProviderError(RunError):
    """The provider refused the request or failed while answering it.

    `http_status` is its HTTP status (`None` without one), `retry_after` the seconds that it asks to
    wait (`None` if it does not say).
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
    """Too many requests: wait `retry_after` seconds, or longer if the provider gives no time."""


class ContextTooLong(ProviderError):
    """The history does not fit into the model's context: narrow the chat's window."""


class StreamStalled(ProviderError):
    """The provider sent nothing for longer than the idle timeout."""


class WorkersDied(RunError):
    """Each worker that answered the run died: no other tries it, unless it is resumed."""


class ToolFailed(RunError):
    """A tool raised an exception, which is the cause of this one."""


class HookFailed(RunError):
    """A hook raised an exception, which is the cause of this one; the message says which hook."""


class Refused(RunError):
    """A hook refused the question or the answer. Raise it in a hook: `raise Refused("Too long")`.

    The refused message is kept as `superseded` and not sent again. The message of the error is the
    reason; `text` stays empty.
    """

    def attach_context(self, run_id: UUID, text: str) -> None:
        self.run_id = run_id


class AnswerInvalid(RunError):
    """The answer did not match the output type or the tools."""


class AnswerRefused(AnswerInvalid):
    """The model or its provider refused to answer: `text` is what it said, if anything."""


class LimitExceeded(RunError):
    """A limit was reached: the run ended before it spent more."""


class BudgetExceeded(LimitExceeded):
    """A budget is used up.

    `by` is its column (`None` for all chats together), `whose` the value of that column, and
    `renews_at` the start of the next period (`None` if it never renews).
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
    """A file of the question is too large. Nothing was stored, and there is no run."""


class TimeLimitExceeded(LimitExceeded):
    """The run took longer than its total timeout."""


class StepLimitExceeded(LimitExceeded):
    """The run needs more LLM requests than allowed."""


class ToolCallLimitExceeded(LimitExceeded):
    """The model asked for more tool calls than allowed."""


class TokenLimitExceeded(LimitExceeded):
    """The next request would exceed the token limit of the run or of the chat."""


class CostLimitExceeded(LimitExceeded):
    """The next request would exceed the cost limit of the run or of the chat."""


def error_from_text(stored: str, *, otherwise: type[RunError]) -> RunError:
    """The error that is stored in the row of a run: its class and its message."""
    name, _, message = stored.partition(": ")
    kind = _by_name(RunError).get(name)
    return kind(message) if kind else otherwise(stored)


def _by_name(kind: type[RunError]) -> dict[str, type[RunError]]:
    below = [_by_name(each) for each in kind.__subclasses__()]
    return {kind.__name__: kind} | {name: each for known in below for name, each in known.items()}
