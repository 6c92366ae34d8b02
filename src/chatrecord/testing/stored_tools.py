"""Tools that return what was recorded in a chat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from pydantic_ai import exceptions
from pydantic_ai.exceptions import ApprovalRequired, ModelRetry
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import RunContext, Tool

from chatrecord.pydantic_ai.messages import call_of, message_of
from chatrecord.pydantic_ai.raw_results import returned
from chatrecord.records import Message, ToolCall

from .recording_file import differences

_ANY_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": True}
_WAITED = ("awaiting_approval", "denied")


def stored_tools(
    calls: Sequence[ToolCall], messages: Sequence[Message], *, approval: Collection[str]
) -> list[Tool[Any]]:
    """A tool for each name that was called in these messages."""
    shown = {message.id for message in messages}
    standing = [it for it in calls if it.message_id in shown]
    waited = {it.name for it in standing if it.status in _WAITED} | set(approval)
    names = dict.fromkeys(it.name for it in standing)
    return [
        _tool(name, [it for it in standing if it.name == name], messages, waits=name in waited)
        for name in names
    ]


def _tool(
    name: str, calls: list[ToolCall], messages: Sequence[Message], *, waits: bool
) -> Tool[Any]:
    left, asked = list(calls), _asked(messages)

    async def replay(context: RunContext[Any], **arguments: Any) -> Any:
        if waits and not context.tool_call_approved:
            raise ApprovalRequired
        found = _chosen(left, name, context.tool_call_id, arguments, calls=calls, asked=asked)
        left.remove(found)
        if found.status == "complete":
            return returned(found.result)
        raise _error_of(found, messages)

    return Tool.from_schema(
        replay, name, "Returns the recorded result.", _ANY_ARGUMENTS, takes_ctx=True
    )


def _chosen(
    left: Iterable[ToolCall],
    name: str,
    call_id: str | None,
    arguments: dict[str, Any],
    *,
    calls: Sequence[ToolCall],
    asked: Mapping[tuple[UUID, str], Any],
) -> ToolCall:
    """The recorded call with these arguments; of several, the one with this id.

    A hook may have changed them: those that the model has given are as good.
    """
    alike = [
        it
        for it in left
        if arguments in ((it.arguments or {}), asked.get((it.message_id, it.call_id)))
    ]
    named = [it for it in alike if it.call_id == call_id]
    if alike:
        return (named or alike)[0]
    same_id = [it for it in calls if it.call_id == call_id]
    recorded = (same_id or list(calls))[0].arguments or {}
    what = next(differences(cast(Any, arguments), recorded, "arguments"), None)
    told = f"its {what}" if what else "every recorded call was made already"
    msg = f"The tool {name} was not called so in the stored chat: {told}"
    raise AssertionError(msg)


def _asked(messages: Sequence[Message]) -> dict[tuple[UUID, str], Any]:
    """The arguments as the model has given them, by message and id of the call."""
    return {
        (message.id, part.tool_call_id): call_of(part).arguments
        for message in messages
        if message.role == "assistant" and message.status == "complete"
        for part in getattr(message_of(message), "parts", ())
        if isinstance(part, ToolCallPart)
    }


def _error_of(call: ToolCall, messages: Sequence[Message]) -> Exception:
    """What the tool raised: its class is named in the row, or the model was told of it."""
    told = call.error or f"This call is {call.status} in the stored chat"
    if _is_retry(call, messages):
        return ModelRetry(told)
    if _has_gone_on(call, messages):
        kind: Any = getattr(exceptions, "ToolFailed", ModelRetry)
        return cast(Exception, kind(told))
    name, colon, text = told.partition(": ")
    if colon and name.isidentifier():
        return cast(Exception, type(name, (Exception,), {})(text))
    return RuntimeError(told)


def _is_retry(call: ToolCall, messages: Sequence[Message]) -> bool:
    return any(
        part.get("part_kind") == "retry-prompt" and part.get("tool_call_id") == call.call_id
        for message in messages
        if message.role == "tool" and isinstance(message.content, dict)
        for part in cast(Any, message.content).get("parts", ())
    )


def _has_gone_on(call: ToolCall, messages: Sequence[Message]) -> bool:
    """Whether the model has answered in the same run after this call."""
    seq = next((it.seq for it in messages if it.id == call.message_id), None)
    return seq is not None and any(
        it.role == "assistant" and it.run_id == call.run_id and it.seq > seq for it in messages
    )
