"""The errors that clients get: a status, a code and a message of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chatrecord import errors
from chatrecord.records import Json

from .json_bytes import JSON


@dataclass(frozen=True, slots=True)
class Problem:
    """An error for a client. `retry_after` is in seconds."""

    status: int
    code: str
    message: str
    retry_after: int | None = None

    def json(self) -> dict[str, Json]:
        """Its form in a body or a stream."""
        return {"code": self.code, "message": self.message}

    def response(self) -> JSON:
        """As a response."""
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return JSON({"error": self.json()}, self.status, headers)


class BadRequest(Exception):
    """The request is not one that could be answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(status, code, message)


NOT_FOUND = Problem(404, "not_found", "There is no such chat.")
NOT_SIGNED_IN = Problem(401, "not_signed_in", "Sign in first.")
UNKNOWN = Problem(500, "failed", "Something went wrong. The text so far is stored.")

SERVER_ENDS = Problem(
    503, "server_ends", "The server is restarting. Load the page again to see the answer."
)

_KNOWN: dict[type[Exception], Problem] = {
    errors.ChatNotFound: NOT_FOUND,
    errors.RunNotFound: Problem(
        404, "not_found", "There is no such answer or tool call in this chat."
    ),
    errors.MessageNotFound: Problem(
        404, "message_not_found", "There is no such question any more."
    ),
    errors.ApprovalPending: Problem(
        409, "approval_pending", "Approve or deny the open tool calls first."
    ),
    errors.SentBefore: Problem(
        409, "sent_before", "The id of this message was used for another one."
    ),
    errors.ChatBusy: Problem(409, "busy", "This chat is being answered right now."),
    errors.NothingToResume: Problem(409, "nothing_to_resume", "There is no answer to continue."),
    errors.SearchUnavailable: Problem(501, "no_search", "Chats cannot be searched here."),
    errors.DatabaseFailed: Problem(503, "unavailable", "The chats cannot be reached right now."),
    errors.StreamTruncated: Problem(502, "truncated", "The answer was cut off."),
    errors.RunInterrupted: Problem(503, "interrupted", "The answer was interrupted."),
    errors.RateLimited: Problem(429, "rate_limited", "Too many requests. Try again in a moment."),
    errors.ContextTooLong: Problem(422, "too_long", "This is too long for the model."),
    errors.StreamStalled: Problem(504, "stalled", "The model stopped responding."),
    errors.ProviderError: Problem(502, "provider_failed", "The model could not answer."),
    errors.ToolFailed: Problem(500, "tool_failed", "A tool has failed."),
    errors.Refused: Problem(422, "refused", "This request was refused."),
    errors.AnswerRefused: Problem(422, "answer_refused", "The model refused to answer."),
    errors.AnswerInvalid: Problem(502, "answer_invalid", "The model gave no usable answer."),
    errors.AttachmentNotFound: Problem(404, "not_found", "There is no such file in this chat."),
    errors.AttachmentTooLarge: Problem(413, "too_large", "A file is too large."),
    errors.BudgetExceeded: Problem(402, "budget_exceeded", "The budget is used up."),
    errors.LimitExceeded: Problem(429, "limit_exceeded", "A limit of this chat was reached."),
}
"""By class; a subclass that is not listed gets the entry of its base class."""


def is_ordinary(error: BaseException) -> bool:
    """Whether a run was just interrupted or stopped: its status says all there is to tell."""
    return type(error) in (errors.RunInterrupted, errors.RunStopped)


def problem_of(error: BaseException) -> Problem:
    """What to tell of this error."""
    if isinstance(error, BadRequest):
        return error.problem
    problem = next((_KNOWN[kind] for kind in type(error).__mro__ if kind in _KNOWN), UNKNOWN)
    if isinstance(error, errors.BudgetExceeded) and error.renews_at is not None:
        seconds = math.ceil((error.renews_at - datetime.now(UTC)).total_seconds())
        return replace(problem, status=429, retry_after=max(1, seconds))
    if isinstance(error, errors.ProviderError) and error.retry_after is not None:
        return replace(problem, retry_after=max(1, math.ceil(error.retry_after)))
    return problem
