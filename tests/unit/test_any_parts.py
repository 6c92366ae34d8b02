"""Any parts that pydantic-ai can hold survive being stored, loaded, exported and imported."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    FilePart,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    VideoUrl,
)
from pydantic_ai.usage import RequestUsage

from chatrecord.ids import new_id
from chatrecord.pydantic_ai.messages import _message, body_of
from chatrecord.records import Message, Tokens
from chatrecord.sqlalchemy import Database, create_chat, export_chat, import_chat
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.store.changes import Changes
from chatrecord.testing import Script

TEXT = st.text(max_size=8) | st.sampled_from(["\x00", "\x1a", "\x1a0000", "🦑", "\u202e", "\u2028"])
NAMES = st.text("abc_", min_size=1, max_size=5)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSONS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXT, JSONS, max_size=3)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
URLS = NAMES.map(lambda name: f"https://files.example/{name}.png")
FILES = st.builds(
    BinaryContent, st.binary(max_size=9), media_type=st.sampled_from(["image/png", "text/plain"])
)
PROMPT = st.lists(
    TEXT
    | FILES
    | st.builds(ImageUrl, URLS)
    | st.builds(AudioUrl, URLS, media_type=st.just("audio/mpeg"))
    | st.builds(VideoUrl, URLS, media_type=st.just("video/mp4"))
    | st.builds(DocumentUrl, URLS, media_type=st.just("application/pdf")),
    max_size=3,
)
DETAILS = st.none() | OBJECTS
REQUEST_PARTS = st.one_of(
    st.builds(SystemPromptPart, TEXT, timestamp=MOMENTS),
    st.builds(UserPromptPart, TEXT | PROMPT, timestamp=MOMENTS),
    st.builds(
        ToolReturnPart, NAMES, JSONS | FILES, NAMES, timestamp=MOMENTS,
        outcome=st.sampled_from(["success", "failed", "denied", "interrupted"]),
    ),
)  # fmt: skip
RESPONSE_PARTS = st.one_of(
    st.builds(TextPart, TEXT, id=st.none() | NAMES, provider_details=DETAILS),
    st.builds(ThinkingPart, TEXT, signature=st.none() | TEXT, provider_details=DETAILS),
    st.builds(ToolCallPart, NAMES, TEXT | OBJECTS | st.none(), NAMES, provider_details=DETAILS),
    st.builds(NativeToolCallPart, NAMES, OBJECTS, NAMES, provider_name=NAMES),
    st.builds(NativeToolReturnPart, NAMES, JSONS, NAMES, timestamp=MOMENTS, provider_name=NAMES),
    st.builds(FilePart, FILES),
)
REQUESTS = st.builds(
    ModelRequest, st.lists(REQUEST_PARTS, max_size=3),
    instructions=st.none() | TEXT, timestamp=MOMENTS, metadata=DETAILS,
)  # fmt: skip
RESPONSES = st.builds(
    ModelResponse, st.lists(RESPONSE_PARTS, max_size=3),
    usage=st.builds(RequestUsage, input_tokens=st.integers(0, 9), output_tokens=st.integers(0, 9)),
    model_name=st.none() | NAMES, timestamp=MOMENTS, provider_details=DETAILS,
    finish_reason=st.sampled_from([None, "stop", "tool_call"]), metadata=DETAILS,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(REQUESTS | RESPONSES, min_size=1, max_size=4))
def test_any_parts_survive_store_load_export_and_import(messages: list[ModelMessage]) -> None:
    asyncio.run(_survive(messages))


async def _survive(messages: list[ModelMessage]) -> None:
    without_files = replace(READY_MADE, attachment=None)
    async with (
        Database("sqlite://") as db,
        Database("sqlite://", models=without_files) as other,
        Database("sqlite://") as third,
    ):
        for place in (db, other, third):
            await place.create_tables()
        chat = await create_chat(db, Script())
        changes = Changes(chat.id)
        for seq, message in enumerate(messages, 1):
            changes.add(_record(chat.id, seq, message))
        await db.store.write(changes)

        await import_chat(other, [line async for line in export_chat(db, chat.id)])

        await import_chat(third, [line async for line in export_chat(other, chat.id)])

        for place in (db, other, third):
            stored = await place.store.messages(chat.id, limit=9, before=None)
            whole = await place.store.with_files(stored)
            loaded = [_message.validate_python(record.content) for record in whole]
            assert [_dumped(message) for message in loaded] == [_dumped(it) for it in messages]


def _dumped(message: ModelMessage) -> Any:
    """As pydantic-ai dumps it, with the types of numbers, which compare as equal."""
    return repr(_message.dump_python(message, mode="json"))


def _record(chat_id: UUID, seq: int, message: ModelMessage) -> Message:
    body, now = body_of(message), datetime.now(UTC) + timedelta(seconds=seq)
    return Message(
        id=new_id(), chat_id=chat_id, run_id=None, seq=seq, role=body.role, status="complete",
        text=body.text, reasoning=body.reasoning, content=body.content, format=body.format,
        model=None, provider=None, finish_reason=None, tokens=Tokens(),
        created_at=now, finished_at=now,
    )  # fmt: skip
