"""What the user of a page thinks of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chatrecord.feedback import LONGEST_OWNER, Feedback, checked_value
from chatrecord.records import Json
from chatrecord.runs.process import Backend

from .bodies import invalid


def rater(scope: Mapping[str, object]) -> str:
    """Who rates: the signed-in user, as the columns of their chats say."""
    return "/".join(str(value) for value in scope.values())[:LONGEST_OWNER]


def rating_in(body: dict[str, object]) -> float:
    """The value in a body: a number."""
    try:
        return checked_value(body["value"])
    except (TypeError, ValueError) as error:
        raise invalid("'value' is a number, such as 1 or -1, or null.") from error


def feedback_json(given: Feedback) -> dict[str, Json]:
    """Feedback as its page gets it."""
    return {"value": given.value, "comment": given.comment}


async def show_feedback(
    backend: Backend, chat_id: UUID, messages: Sequence[dict[str, Json]], owner: str
) -> None:
    """Add to the metadata of each answer what this user thinks of it."""
    shown = {run_id: it for it in messages if (run_id := _run_of(it)) is not None}
    for given in await backend.store.feedback_of_chat(chat_id, list(shown)):
        if given.owner == owner and given.run_id in shown:
            metadata = shown[given.run_id]["metadata"]
            assert isinstance(metadata, dict)
            metadata["feedback"] = feedback_json(given)


def _run_of(message: Mapping[str, Json]) -> UUID | None:
    metadata = message.get("metadata")
    run_id = metadata.get("runId") if isinstance(metadata, dict) else None
    is_answer = message.get("role") == "assistant"
    return UUID(run_id) if is_answer and isinstance(run_id, str) else None
