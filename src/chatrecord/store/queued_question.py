"""What a queued run will ask, as its row keeps it until it begins."""

from __future__ import annotations

from uuid import UUID

from chatrecord.ids import new_id
from chatrecord.records import Json, Message, Run, Tokens


def queued_question(prompt: Message | None) -> Json:
    """What is kept of a question; of an answer that is to be generated again, that it has none."""
    if prompt is None:
        return {}
    return {
        "id": str(prompt.id),
        "text": prompt.text,
        "content": prompt.content,
        "format": prompt.format,
    }


def renewed_question(kept: Json) -> Json:
    """The same for a copy of the run, whose question will be another message."""
    if not isinstance(kept, dict) or "id" not in kept:
        return kept
    return {**kept, "id": str(new_id())}


def queued_prompt(run: Run) -> Message | None:
    """The message that the question of a queued run will be; `None` if it has none of its own.

    A run that begins once more, since it was to replace messages and its worker died, has left a
    message of that id: it gets another one.
    """
    kept = run.question
    if not isinstance(kept, dict) or "content" not in kept:
        return None
    form = kept["format"]
    return Message(
        id=UUID(str(kept["id"])) if run.epoch == 1 else new_id(),
        chat_id=run.chat_id,
        run_id=run.id,
        seq=0,
        role="user",
        status="complete",
        text=str(kept["text"]),
        reasoning=None,
        content=kept["content"],
        format=None if form is None else str(form),
        model=None,
        provider=None,
        finish_reason=None,
        tokens=Tokens(),
        created_at=run.started_at,
        finished_at=run.started_at,
    )
