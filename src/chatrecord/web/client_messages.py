"""What a client asks for with a message: read from the body of a request, trusting little of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .bodies import identifier, invalid, needed_id, optional_text, text_field
from .uploads import MOST, Upload, upload_of

LONGEST_TEXT = 1_000_000
"""Characters of a question. The limit of the body comes first where that is smaller."""


@dataclass(frozen=True, slots=True)
class Question:
    """A new question. `key` makes it one run however often it is sent."""

    text: str
    key: str | None
    files: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """A question put differently; `message_id` is ours or the client's own."""

    message_id: str
    text: str
    files: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Regenerate:
    """An answer generated again: the last, or that with this id (its run's).

    `question` is the one that it is to answer, as the client has it. It may never have come here.
    """

    message_id: str | None
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a tool call may run."""

    call_id: str
    approved: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Tool calls were approved or denied: continue."""

    decisions: tuple[Decision, ...]


ClientMessage = Question | Edit | Regenerate | Decisions


def parse_client_message(body: dict[str, object]) -> ClientMessage:
    """What the AI SDK's `useChat` asks for, or a client that sends `{"id", "text", "key"}`.

    Of `messages` only the last counts: the history is in the database.
    """
    trigger = optional_text(body, "trigger") or "submit-message"
    message_id = identifier(body, "messageId")
    if trigger == "regenerate-message":
        return Regenerate(message_id, _last_question(body))
    if trigger != "submit-message":
        raise invalid("'trigger' is submit-message or regenerate-message.")
    if body.get("messages") is None and body.get("message") is None:
        return _plain(body, message_id)
    message = _last_message(body)
    if message.get("role") == "assistant":
        return Decisions(_decisions(_parts(message)))
    if message.get("role") != "user":
        raise invalid("The last message has to be a user's, or an answer with decided tool calls.")
    question = _question(message)
    if message_id is not None:
        return Edit(message_id, question.text, question.files)
    return question


def _last_question(body: dict[str, object]) -> Question | None:
    """The last of the messages, if it is a user's."""
    if not body.get("messages") and body.get("message") is None:
        return None
    message = _last_message(body)
    return _question(message) if message.get("role") == "user" else None


def _question(message: dict[str, object]) -> Question:
    parts = _parts(message)
    files = _files(parts)
    return Question(_text(parts, files), identifier(message, "id"), files)


def _plain(body: dict[str, object], message_id: str | None) -> ClientMessage:
    text = text_field(body, "text", longest=LONGEST_TEXT)
    return Question(text, identifier(body, "key")) if message_id is None else Edit(message_id, text)


def _last_message(body: dict[str, object]) -> dict[str, object]:
    message = body.get("message")
    if message is None:
        messages = body["messages"]
        if not isinstance(messages, list) or not messages:
            raise invalid("'messages' has to be a list with at least one message.")
        message = messages[-1]
    if not isinstance(message, dict):
        raise invalid("A message has to be an object.")
    return message


def _parts(message: dict[str, object]) -> Sequence[dict[str, object]]:
    parts = message.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise invalid("'parts' of the message has to be a list of objects.")
    return parts


def _text(parts: Sequence[dict[str, object]], files: Sequence[Upload]) -> str:
    said = [part.get("text") for part in parts if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in said):
        raise invalid("A text part needs its 'text'.")
    return checked_words("\n".join(str(text) for text in said), files)


def checked_words(text: str, files: Sequence[Upload]) -> str:
    """The text, which may be empty if there is a file. Raises `BadRequest`."""
    if text.strip():
        return text
    if not files:
        raise invalid("The message is blank: send a text, a file, or both.")
    return ""


def _files(parts: Sequence[dict[str, object]]) -> tuple[Upload, ...]:
    files = [part for part in parts if part.get("type") == "file"]
    if len(files) > MOST:
        raise invalid(f"A message has at most {MOST} files.")
    return tuple(upload_of(part) for part in files)


def _decisions(parts: Sequence[dict[str, object]]) -> tuple[Decision, ...]:
    decided = tuple(_decision(part) for part in parts if part.get("state") == "approval-responded")
    if not decided:
        raise invalid("The last message is an answer in which no tool call was decided.")
    return decided


def _decision(part: dict[str, object]) -> Decision:
    approval = part.get("approval")
    if not isinstance(approval, dict) or not isinstance(approval.get("approved"), bool):
        raise invalid("A decided tool call needs its 'approval', with 'approved' true or false.")
    reason = optional_text(approval, "reason", longest=2_000)
    return Decision(needed_id(approval, "id"), approval["approved"], reason)
