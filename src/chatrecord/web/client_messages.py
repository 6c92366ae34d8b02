"""What a client asks for with a message: read from the body of a request, trusting little of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatrecord.records import Json

from .bodies import identifier, invalid, needed_id, optional_text, text_field
from .json_bytes import text_of
from .uploads import MOST, Upload, upload_of

LONGEST_TEXT = 1_000_000
"""Characters of a question. The limit of the body comes first where that is smaller."""

LONGEST_METADATA = 10_000
"""Characters of what a client has kept with a chat or a question, as JSON."""

_RESULTS = ("output-available", "output-error")

LONGEST_NAME, MOST_NAMES = 80, 10
"""Of what an error names."""


@dataclass(frozen=True, slots=True)
class Question:
    """A new question. `key` makes it one run however often it is sent."""

    text: str
    key: str | None
    files: tuple[Upload, ...] = ()
    metadata: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A question put differently; its `key` names the old one, by our id or the client's own."""

    question: Question


@dataclass(frozen=True, slots=True)
class Listed:
    """A question at the end of all that a client shows: its place there tells what is asked for.

    A question that is new after `earlier` (the ids of the user's messages before it, the last
    first) is an edit of the one that stands there now. A known one under a new `run_id` of the
    client is to be answered again. `is_whole` says that a list without any earlier message is the
    beginning of the chat, rather than the list of a client that has not read it. `answer` is the id
    of the last answer before the question: it may be an earlier version that the client shows.
    """

    question: Question
    earlier: tuple[str, ...]
    answer: str | None
    run_id: str | None
    is_whole: bool


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


ClientMessage = Question | Edit | Listed | Regenerate | Decisions


def parse_client_message(body: dict[str, object], *, is_whole: bool = False) -> ClientMessage:
    """What the AI SDK's `useChat` asks for, or a client that sends `{"id", "text", "key"}`.

    Of `messages` only the last counts: the history is in the database. Of a client that does not
    name what it edits, the ids of the others tell its place: of assistant-ui, or any that says that
    it sends its whole list (`is_whole`).
    """
    if isinstance(tools := body.get("tools"), dict):
        refuse_page_tools(list(tools))
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
        return Edit(replace(question, key=message_id))
    if is_whole or _is_of_assistant_ui(body):
        listed = body["messages"]
        return Listed(question, earlier_ids(listed), last_answer_id(listed), None, is_whole)
    return question


def _is_of_assistant_ui(body: dict[str, object]) -> bool:
    """Its transport always sends the tools of its page along, the AI SDK's own never does."""
    return isinstance(body.get("tools"), dict) and isinstance(body.get("messages"), list)


def earlier_ids(messages: object) -> tuple[str, ...]:
    """The ids of the user's messages before the last message, the last of them first."""
    return _ids_of(messages, "user")


def last_answer_id(messages: object) -> str | None:
    """The id of the last answer before the last message."""
    return next(iter(_ids_of(messages, "assistant")), None)


def _ids_of(messages: object, role: str) -> tuple[str, ...]:
    if not isinstance(messages, list):
        return ()
    earlier = [message for message in messages[:-1] if isinstance(message, dict)]
    ids = [identifier(message, "id") for message in earlier if message.get("role") == role]
    return tuple(found for found in reversed(ids) if found is not None)


def refuse_page_tools(names: Sequence[object]) -> None:
    """Raise if a page wants tools of its own to be called: they would never be, without a word."""
    if names:
        raise invalid(
            f"Tools of the page cannot be called here: {_listed(names)}. Give them to the server, "
            "or send none."
        )


def refuse_page_results(call_ids: Sequence[object]) -> None:
    """Raise if a page sends results of tool calls, which are the server's to run."""
    if call_ids:
        raise invalid(
            f"Results of tools come from the server, not from the page: {_listed(call_ids)}. "
            "A page approves or denies the calls that wait."
        )


def _listed(names: Sequence[object]) -> str:
    return ", ".join(repr(str(name)[:LONGEST_NAME]) for name in names[:MOST_NAMES])


def is_first(message: ClientMessage) -> bool:
    """Whether a chat can begin with this: with a question."""
    if isinstance(message, Regenerate):
        return message.question is not None
    return not isinstance(message, Decisions)


def _last_question(body: dict[str, object]) -> Question | None:
    """The last of the messages, if it is a user's."""
    if not body.get("messages") and body.get("message") is None:
        return None
    message = _last_message(body)
    return _question(message) if message.get("role") == "user" else None


def _question(message: dict[str, object]) -> Question:
    parts = _parts(message)
    files = _files(parts)
    return Question(_text(parts, files), identifier(message, "id"), files, metadata_of(message))


def _plain(body: dict[str, object], message_id: str | None) -> ClientMessage:
    text, metadata = text_field(body, "text", longest=LONGEST_TEXT), metadata_of(body)
    if message_id is not None:
        return Edit(Question(text, message_id, metadata=metadata))
    return Question(text, identifier(body, "key"), metadata=metadata)


def metadata_of(body: dict[str, object]) -> dict[str, Json] | None:
    """What a client wants to be kept with a chat or a question."""
    metadata = body.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise invalid("'metadata' has to be an object.")
    if len(text_of(metadata)) > LONGEST_METADATA:
        raise invalid(f"'metadata' has more than {LONGEST_METADATA} characters.")
    return metadata


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
        results = [
            part for part in parts if part.get("state") in ("output-available", "output-error")
        ]
        refuse_page_results([part.get("toolCallId") for part in results])
        raise invalid("The last message is an answer in which no tool call was decided.")
    return decided


def _decision(part: dict[str, object]) -> Decision:
    approval = part.get("approval")
    if not isinstance(approval, dict) or not isinstance(approval.get("approved"), bool):
        raise invalid("A decided tool call needs its 'approval', with 'approved' true or false.")
    reason = optional_text(approval, "reason", longest=2_000)
    return Decision(needed_id(approval, "id"), approval["approved"], reason)
