"""The messages of a run as they are stored: what stays as it is, is not dumped or written again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from chatrecord.hooks.moments import Change
from chatrecord.llm.port import Body
from chatrecord.records import Message

from .pristine import Pristine
from .texts import stored_body

_SET_LATER = ("run_id", "conversation_id", "model_id")
"""What pydantic-ai sets of an answer after it was reported: texts."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a run will hold it, and the row that it is stored as."""

    request: ModelRequest
    row: Message


def question_of(
    content: object, asked_at: datetime, run_id: str, conversation_id: str, instructions: str | None
) -> ModelRequest:
    """The request that asks this, as its run will hold it."""
    return ModelRequest(
        parts=[UserPromptPart(cast(Any, content), timestamp=asked_at)],
        timestamp=asked_at,
        instructions=instructions,
        run_id=run_id,
        conversation_id=conversation_id,
    )


class StoredBodies:
    """The messages that a run has reported, and the body that each is stored as.

    Others hold these messages too, and may change them, such as hooks: then they are dumped again.
    """

    def __init__(self, storing: Change | None) -> None:
        self._storing = storing
        self._stored: dict[int, tuple[ModelMessage, Pristine, Body]] = {}

    def keep(
        self, message: ModelMessage, body: Body, *, made_of: ModelMessage | None = None
    ) -> None:
        """This message is stored like this; the body was made of it, or of another one."""
        self._stored[id(message)] = (message, Pristine(made_of or message), body)

    def keep_question(self, message: ModelMessage, question: Question) -> None:
        """This message asks it. It gets the time of its row, at which it was asked and stored."""
        row = question.row
        message.timestamp = row.created_at
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                part.timestamp = row.created_at
        body = Body(row.role, row.text, row.reasoning, row.content, row.format)
        self.keep(message, body, made_of=question.request)

    def new(self, message: ModelMessage) -> Body:
        """The body of a message that is stored for the first time."""
        body = stored_body(message, self._storing)
        self.keep(message, body)
        return body

    def of(self, message: ModelMessage) -> Body:
        """The body of a message as it is now."""
        found = self._stored.get(id(message))
        if found is None:
            return stored_body(message, self._storing)
        _, pristine, body = found
        return _up_to_date(body, pristine.copy(), message) or stored_body(message, self._storing)


def _up_to_date(body: Body, before: ModelMessage, now: ModelMessage) -> Body | None:
    """The body with what was set since; `None` where something else has changed."""
    later = {name: getattr(now, name, None) for name in _SET_LATER}
    later = {name: it for name, it in later.items() if it != getattr(before, name, None)}
    vars(before).update(later)
    if before != now:
        return None
    if not later:
        return body
    assert isinstance(body.content, dict)
    return replace(body, content={**body.content, **later})
