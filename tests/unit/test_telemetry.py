"""Spans name our rows, and our rows name the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.instrumented import InstrumentationSettings

from chatrecord.records import Run
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, fail, say


def add(a: int, b: int) -> int:
    return a + b


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def instrumented(provider: TracerProvider) -> InstrumentationSettings:
    return InstrumentationSettings(tracer_provider=provider)


def of_kind(spans: InMemorySpanExporter, operation: str) -> list[ReadableSpan]:
    found = [span for span in spans.get_finished_spans()
             if told(span).get("gen_ai.operation.name") == operation]  # fmt: skip
    return sorted(found, key=lambda span: span.start_time or 0)


def told(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


async def run_of(db: Database, chat_id: Any, run_id: Any) -> Run:
    run = await db.store.get_run(chat_id, run_id)
    assert run is not None
    return run


async def test_each_span_names_its_rows(
    db: Database, spans: InMemorySpanExporter, instrumented: InstrumentationSettings
) -> None:
    script = Script([call("add", a=1, b=2)], [say("three")])
    agent = Agent(script, tools=[add], capabilities=[Instrumentation(settings=instrumented)])
    chat = await create_chat(db, agent)
    reply = await chat.ask("1 + 2?")

    (run,) = of_kind(spans, "invoke_agent")
    assert told(run)["chatrecord.chat_id"] == str(chat.id)
    assert told(run)["chatrecord.run_id"] == str(reply.run_id)
    requests = await chat.requests()
    asked = of_kind(spans, "chat")
    assert [told(span)["chatrecord.request_id"] for span in asked] == [str(r.id) for r in requests]
    assert told(asked[1])["chatrecord.message_id"] == str(reply.message_id)
    (tool,) = of_kind(spans, "execute_tool")
    assert told(tool)["chatrecord.tool_call_id"] == str(reply.tool_calls[0].id)


async def test_every_attempt_is_an_event_of_its_span(
    db: Database, spans: InMemorySpanExporter, instrumented: InstrumentationSettings
) -> None:
    script = Script([fail(ModelHTTPError(429, "script", {}))], [say("Here")])
    agent = Agent(script, capabilities=[Instrumentation(settings=instrumented)])
    chat = await create_chat(db, agent, retries=1)
    await chat.ask("Hi!")

    (asked,) = of_kind(spans, "chat")
    tried = [event.attributes or {} for event in asked.events if event.name == "chatrecord.request"]
    rows = await chat.requests()
    assert [event["chatrecord.request_id"] for event in tried] == [str(row.id) for row in rows]
    assert len(rows) == 2


@pytest.fixture
def all_instrumented(instrumented: InstrumentationSettings) -> Iterator[None]:
    Agent.instrument_all(instrumented)
    yield
    Agent.instrument_all(False)


@pytest.mark.usefixtures("all_instrumented")
async def test_the_row_of_a_run_names_its_trace(
    db: Database, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    chat = await create_chat(db, Script([say("Hi")]))
    with provider.get_tracer("app").start_as_current_span("POST /chat") as span:
        reply = await chat.ask("Hi!")

    settings = (await run_of(db, chat.id, reply.run_id)).settings
    assert isinstance(settings, dict)
    assert settings["trace_id"] == format_trace_id(span.get_span_context().trace_id)
    (run,) = of_kind(spans, "invoke_agent")
    assert told(run)["chatrecord.run_id"] == str(reply.run_id)
    assert run.parent is not None
    assert run.parent.span_id == span.get_span_context().span_id


async def test_a_run_without_tracing_has_no_trace_id(db: Database) -> None:
    chat = await create_chat(db, Script([say("Hi")]))
    reply = await chat.ask("Hi!")

    settings = (await run_of(db, chat.id, reply.run_id)).settings
    assert isinstance(settings, dict)
    assert "trace_id" not in settings
