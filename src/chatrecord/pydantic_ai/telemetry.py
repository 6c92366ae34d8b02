"""Joins the spans of pydantic-ai's own instrumentation to our rows, and our rows to its traces."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from opentelemetry.trace import format_trace_id, get_current_span


def name_rows(ids: Mapping[str, UUID]) -> None:
    """Write ids such as `chatrecord.run_id` on the current span, if it is recorded."""
    span = get_current_span()
    if span.is_recording():
        span.set_attributes(_attributes(ids))


def tell_of_attempt(ids: Mapping[str, UUID]) -> None:
    """Likewise for an attempt at a provider. Of several in one span, the last is named."""
    span = get_current_span()
    if span.is_recording():
        span.set_attributes(_attributes(ids))
        span.add_event("chatrecord.request", _attributes(ids))


def trace_id() -> str | None:
    """The id of the current trace in hexadecimal; `None` without tracing."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def _attributes(ids: Mapping[str, UUID]) -> dict[str, str]:
    return {f"chatrecord.{name}": str(value) for name, value in ids.items()}
