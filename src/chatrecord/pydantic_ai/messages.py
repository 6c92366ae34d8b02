"""Between pydantic-ai's messages and ours."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    repair_messages,
)
from pydantic_core import to_json, to_jsonable_python

from chatrecord.llm.pieces import Piece, Pieces, joined
from chatrecord.llm.port import Body
from chatrecord.records import Json, Message, Role, ToolCall
from chatrecord.store.stored_message import StoredMessage, files_in, known_of, plain_json_of
from chatrecord.values import Call

from .call_ids import unique_ids
from .empty_fields import without_empty_fields
from .file_bytes import dumped, fill, stand_ins
from .pristine import Pristine, is_alone
from .raw_results import returned

FORMAT = f"pydantic-ai {version('pydantic-ai-slim')}"

_SURROGATES = re.compile("[\ud800-\udfff]")

log = logging.getLogger("chatrecord")

_message: TypeAdapter[ModelMessage] = TypeAdapter(
    ModelMessage, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
)


def body_of(message: ModelMessage) -> Body:
    """A message as it is stored."""
    content: Json = dumped(message, _plain_value)
    if isinstance(message, ModelResponse):
        return Body("assistant", text_of(message), reasoning_of(message), content, FORMAT)
    return Body(_role_of(message), _asked(message), None, content, FORMAT)


def _plain_value(message: ModelMessage) -> Json:
    fields = _message.dump_python(message, mode="json", fallback=_shown)
    value: Json = _finite(without_empty_fields(fields))
    return value


def text_of(response: ModelResponse) -> str:
    """The text of an answer."""
    return joined(words_of(response), "text")


def reasoning_of(response: ModelResponse) -> str | None:
    """The reasoning behind an answer, as far as the provider shows it."""
    return joined(words_of(response), "reasoning") or None


def words_of(response: ModelResponse) -> Pieces:
    """Only what an answer says and thinks."""
    return [words_in(part) for part in response.parts]


def words_in(part: object) -> Piece | None:
    """What a part of an answer says or thinks, if it does."""
    if isinstance(part, TextPart):
        return Piece("text", part.content)
    if isinstance(part, ThinkingPart):
        return Piece("reasoning", part.content)
    return None


def growth_of(event: ModelResponseStreamEvent) -> int:
    """By how many characters of what is said the answer has grown with this event."""
    if isinstance(event, PartDeltaEvent):
        delta = event.delta
        said = getattr(delta, "content_delta", None) or getattr(delta, "args_delta", None) or ""
        return len(said)
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart | ThinkingPart):
        return len(event.part.content)
    return 0


def calls_of(response: ModelResponse, *, but: Iterable[str]) -> list[Call]:
    """The tool calls of an answer, but for those of these names."""
    ignored = set(but)
    return [
        call_of(part)
        for part in response.parts
        if isinstance(part, ToolCallPart) and part.tool_name not in ignored
    ]


def finish_reason_of(response: ModelResponse) -> str | None:
    """Why an answer ended, in the provider's own word where there is no common one.

    Some providers say only that it has ended, and leave its calls to be seen.
    """
    asks = any(isinstance(part, ToolCallPart) for part in response.parts)
    if asks and response.finish_reason == "stop":
        return "tool_call"
    raw = (response.provider_details or {}).get("finish_reason")
    return response.finish_reason or (raw if isinstance(raw, str) and raw else None)


_MOST_BITS = 14_000
"""Of a number that Python still writes down in digits: it refuses more than 4,300 of them."""

_ENDLESS = re.compile(rb"[0-9]{4000}")


def call_of(part: ToolCallPart) -> Call:
    """A tool call as it is stored: its arguments as an object, or as the text that is not one.

    NaN and infinities, which are no JSON, are their names.
    """
    try:
        arguments: Json = _finite(part.args_as_dict(raise_if_invalid=True))
    except (ValueError, AssertionError, RecursionError):
        arguments = cast(Json, part.args)
    return Call(part.tool_call_id, part.tool_name, arguments)


def json_of(value: object) -> Json:
    """Any result of a tool as JSON; a value without a JSON form, such as NaN, as its `repr`."""
    try:
        return cast(Json, _finite(to_jsonable_python(value, fallback=_shown, bytes_mode="base64")))
    except (ValueError, TypeError, RecursionError):
        return _shown(value)


def _shown(value: object) -> str:
    """What can always be said of a value."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - anybody's __repr__
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def _finite(value: object) -> Any:
    """The value with what is no JSON, such as NaN and endless numbers, as text."""
    return _with_names(value) if _may_be_no_json(value) else value


def _may_be_no_json(value: object) -> bool:
    """Whether a walk through the value may find anything: most values are plain, and large."""
    try:
        text = to_json(value, inf_nan_mode="constants")
    except ValueError:
        return True
    return b"NaN" in text or b"Infinity" in text or _ENDLESS.search(text) is not None


def _with_names(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return _shown(value)
    if isinstance(value, dict):
        return {key: _with_names(item) for key, item in value.items()}
    return [_with_names(item) for item in value] if isinstance(value, list) else value


def history_of(records: Sequence[Message], *, is_going_on: bool) -> list[ModelMessage]:
    """The messages as pydantic-ai holds them, made valid for every provider.

    If the run continues at the last of them, its open tool calls stay open.
    """
    summary = [record.text for record in records if record.role == "summary"]
    said = [record for record in records if record.role != "summary"]
    if not summary and (known := _from_memory(said)) is not None:
        return known
    found = (_loaded(record) if is_going_on else _ended(record) for record in said)
    messages = [message for message in found if message is not None]
    messages = _after(summary[-1], messages) if summary else messages
    if _need_no_mending(messages):
        return messages
    messages = unique_ids(messages, is_going_on=is_going_on)
    return repair_messages(messages, repair_last_response=not is_going_on)


def _from_memory(records: Sequence[Message]) -> list[ModelMessage] | None:
    """The messages, if they need no mending and are all in memory, which knows that of each."""
    found, is_question = list[Pristine](), True
    for record in records:
        if not isinstance(record, StoredMessage) or record.files is not None:
            return None
        if record.known is not None and record.known.loaded is None:
            _loaded(record)
        pristine = None if record.known is None else record.known.loaded
        if not isinstance(pristine, Pristine) or not pristine.is_alone:
            return None
        if pristine.is_request is not is_question:
            return None
        is_question = not is_question
        found.append(pristine)
    return [each.copy() for each in found]


def _need_no_mending(messages: Sequence[ModelMessage]) -> bool:
    """Whether they are questions and answers without calls, in turns.

    The walks that mend a history would find nothing in them, and take longer than this.
    """
    kinds = [type(message) for message in messages]
    in_turns = {*kinds[::2]} <= {ModelRequest} and {*kinds[1::2]} <= {ModelResponse}
    return in_turns and all(map(is_alone, messages))


def _after(summary: str, messages: list[ModelMessage]) -> list[ModelMessage]:
    """The messages with a summary of those before: in the words of the user, who speaks first.

    A separate message would give two user messages in a row, which not every server accepts.
    """
    text = f"<summary of the conversation so far>\n{summary}\n</summary>"
    first = messages[0] if messages else None
    part = first.parts[0] if isinstance(first, ModelRequest) and first.parts else None
    if not isinstance(first, ModelRequest) or not isinstance(part, UserPromptPart):
        return [ModelRequest(parts=[UserPromptPart(text)]), *messages]
    said = part.content
    content = f"{text}\n\n{said}" if isinstance(said, str) else [text, *said]
    opening = replace(first, parts=[replace(part, content=content), *first.parts[1:]])
    return [opening, *messages[1:]]


def message_of(record: Message) -> ModelMessage | None:
    """One message as pydantic-ai holds it."""
    return _loaded(record)


def _ended(record: Message) -> ModelMessage | None:
    """A message that nothing continues: a suspended answer is replayed as its text.

    It was to be continued by the provider, which refuses a call of its own without a result.
    """
    message = _loaded(record)
    if isinstance(message, ModelResponse) and message.state == "suspended":
        return _partial(record)
    return message


def _loaded(record: Message) -> ModelMessage | None:
    if record.role == "assistant" and record.status != "complete":
        return _partial(record)
    files = record.files if isinstance(record, StoredMessage) else None
    message = _known(record, files)
    if message is None:
        return _from_value(record)
    return message if files is None else fill(message, files)


def _known(record: Message, files: Mapping[str, bytes] | None) -> ModelMessage | None:
    """A copy of the message that is in memory; it is read and kept there, if it may be."""
    known = known_of(record)
    if files is not None and not files_in(record) <= files.keys():
        known = None  # a text is sent in the place of a file
    if known is not None and isinstance(known.loaded, Pristine):
        return known.loaded.copy()
    message = _from_json(record) if files is None else _from_references(record, files)
    if known is None or message is None:
        return message
    known.loaded = Pristine(message)
    return known.loaded.copy()


def _from_references(record: Message, files: Mapping[str, bytes]) -> ModelMessage | None:
    """The message with a stand-in for each of its files."""
    assert isinstance(record, StoredMessage)
    content = record.with_files(stand_ins(files)).content
    with suppress(ValidationError):
        return _message.validate_python(content)
    return None


def _from_json(record: Message) -> ModelMessage | None:
    """The message by its text; `None` where another parser has to see to it, or to tell."""
    json = plain_json_of(record)
    if json is None or '"binary"' in json:
        return None
    try:
        return _message.validate_json(json)
    except ValidationError:
        return None


def _from_value(record: Message) -> ModelMessage | None:
    if record.content is None:  # it could not be stored
        return _partial(record)
    try:
        return _message.validate_python(record.content)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        log.warning(
            "Message %s (%s) is replayed as plain text: %s", record.id, record.format, reason
        )
        return _plain(record)


def _partial(record: Message) -> ModelMessage | None:
    """An answer that was cut off is replayed as its text: an unfinished call was never made."""
    return _plain(record) if record.text.strip() else None


def _plain(record: Message) -> ModelMessage | None:
    if record.role == "assistant":
        return ModelResponse(parts=[TextPart(record.text)], timestamp=record.created_at)
    if record.role == "system":
        return ModelRequest(parts=[SystemPromptPart(record.text)])
    if not record.text:
        return None
    return ModelRequest(parts=[UserPromptPart(record.text, timestamp=record.created_at)])


def scrubbed(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The messages with lone surrogates replaced, for a provider that takes valid text only."""
    dumped = [_message.dump_python(message, mode="json") for message in messages]
    return [_message.validate_python(_without_surrogates(message)) for message in dumped]


def _without_surrogates(value: object) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, list) else value


def answers_to(calls: Sequence[ToolCall]) -> ModelRequest:
    """The results of these calls as their rows tell them."""
    return ModelRequest(parts=[_return_of(call) for call in calls])


def _return_of(call: ToolCall) -> ToolReturnPart:
    if call.status == "complete":
        return ToolReturnPart(call.name, returned(call.result), call.call_id)
    if call.status == "failed":
        text = f"The tool failed: {call.error}"
        return ToolReturnPart(call.name, text, call.call_id, outcome="failed")
    if call.status == "denied":
        text = call.error or "The tool call was denied."
        return ToolReturnPart(call.name, text, call.call_id, outcome="denied")
    text = "The tool call was interrupted: it is not known how far it got."
    return ToolReturnPart(call.name, text, call.call_id, outcome="interrupted")


def _role_of(message: ModelRequest) -> Role:
    parts = message.parts
    if any(isinstance(part, ToolReturnPart | RetryPromptPart) for part in parts):
        return "tool"
    if any(isinstance(part, UserPromptPart) for part in parts):
        return "user"
    return "system" if any(isinstance(part, SystemPromptPart) for part in parts) else "tool"


def _asked(message: ModelRequest) -> str:
    prompts = [part for part in message.parts if isinstance(part, UserPromptPart)]
    return "\n".join(text for part in prompts for text in texts_in(part.content))


def texts_in(content: str | Sequence[Any]) -> list[str]:
    """What is said in a prompt, without its files."""
    if isinstance(content, str):
        return [content]
    return [item if isinstance(item, str) else item.content for item in content if _is_text(item)]


def _is_text(item: object) -> bool:
    return isinstance(item, str) or isinstance(getattr(item, "content", None), str)
