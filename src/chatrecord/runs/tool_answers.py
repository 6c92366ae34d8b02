"""Which tool calls have been answered, so that each gets one result and none gets two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatrecord.records import Message, ToolCall


def answered_by(message: Message) -> set[str]:
    """The ids of the calls whose results this message contains."""
    if message.role != "tool" or message.status == "superseded":
        return set()
    parts = message.content.get("parts") if isinstance(message.content, dict) else None
    if not isinstance(parts, list):
        return set()
    ids = [part.get("tool_call_id") for part in parts if isinstance(part, dict)]
    return {call_id for call_id in ids if isinstance(call_id, str)}


def last_answer(messages: Iterable[Message]) -> Message | None:
    """The last answer among these messages that has not been replaced."""
    answers = [it for it in messages if it.role == "assistant" and it.status != "superseded"]
    return max(answers, key=lambda message: message.seq, default=None)


def calls_of(answer: Message, calls: Iterable[ToolCall]) -> list[ToolCall]:
    """The calls of this answer."""
    return [call for call in calls if call.message_id == answer.id]


def calls_without_result(
    answer: Message, messages: Sequence[Message], calls: Iterable[ToolCall]
) -> list[ToolCall]:
    """The calls of this answer that have no result yet in any message after it.

    Ids of calls are unique within one answer only: earlier results answer other calls.
    """
    after = [message for message in messages if message.seq > answer.seq]
    answered = {call_id for message in after for call_id in answered_by(message)}
    return [call for call in calls_of(answer, calls) if call.call_id not in answered]
