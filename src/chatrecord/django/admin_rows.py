"""The rows of a chat in the admin: its last messages, tool calls and requests, to be read."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import figures
from .model_names import model_of

SHOWN = 100
"""The rows of each kind that a page shows: the last ones."""

_LONG = 400
"""Characters of a text that are shown before it is folded."""


class LastRows(BaseInlineFormSet):
    """The last rows in their order."""

    def get_queryset(self) -> Any:
        """A list: no form of this page is ever sent."""
        if not hasattr(self, "_queryset"):
            newest = super().get_queryset().order_by("-id")[:SHOWN]
            self._queryset = list(reversed(newest))
        return self._queryset


class Rows(admin.TabularInline):
    """Rows of a chat that nobody changes here."""

    fk_name = "chat"
    formset = LastRows
    extra = 0
    max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may see the chat may see its rows."""
        return True


class MessageRows(Rows):
    """What was said."""

    model = model_of("message")
    verbose_name_plural = f"messages (the last {SHOWN})"
    fields = readonly_fields = ("role", "said", "status", "tokens", "created_at")

    @admin.display(description="text")
    def said(self, message: Any) -> SafeString:
        """The reasoning, folded, and the text or the tools."""
        text = _folded(message.text or _tools(message.content))
        if not message.reasoning:
            return text
        thought = format_html(
            '<details class="chatrecord-thought"><summary>Reasoning</summary>{}</details>',
            _text(message.reasoning),
        )
        return thought + text

    @admin.display(description="tokens in / out")
    def tokens(self, message: Any) -> str:
        """Those that the provider reported."""
        if message.input_tokens is None and message.output_tokens is None:
            return figures.UNKNOWN
        return f"{figures.count(message.input_tokens)} / {figures.count(message.output_tokens)}"


class ToolCallRows(Rows):
    """What tools were called with, and what they returned."""

    model = model_of("tool_call")
    verbose_name_plural = f"tool calls (the last {SHOWN})"
    fields = readonly_fields = ("name", "called_with", "returned", "status", "took")

    @admin.display(description="arguments")
    def called_with(self, call: Any) -> SafeString:
        """As JSON."""
        return _folded(_json(call.arguments))

    @admin.display(description="result")
    def returned(self, call: Any) -> SafeString:
        """The error where there is one."""
        return _failed(call.error) if call.error else _folded(_json(call.result))

    @admin.display(description="time")
    def took(self, call: Any) -> str:
        """How long it ran."""
        return figures.seconds(call.duration_ms)


class RequestRows(Rows):
    """Each attempt at a provider."""

    model = model_of("request")
    verbose_name_plural = f"requests (the last {SHOWN})"
    fields = readonly_fields = (
        "started_at",
        "answered_by",
        "outcome",
        "tokens",
        "price",
        "latency",
        "first_token",
    )

    @admin.display(description="model")
    def answered_by(self, request: Any) -> str:
        """The provider and its model."""
        return ":".join(filter(None, (request.provider, request.model))) or figures.UNKNOWN

    @admin.display(description="status")
    def outcome(self, request: Any) -> SafeString | str:
        """The error where there is one."""
        if not request.error:
            return str(request.status)
        http = f"HTTP {request.http_status}: " if request.http_status else ""
        return _failed(f"{http}{request.error}")

    @admin.display(description="tokens in / out")
    def tokens(self, request: Any) -> str:
        """Those that the provider reported."""
        return f"{figures.count(request.input_tokens)} / {figures.count(request.output_tokens)}"

    @admin.display(description="cost")
    def price(self, request: Any) -> str:
        """In US dollars."""
        return figures.money(request.cost)

    @admin.display(description="time")
    def latency(self, request: Any) -> str:
        """Until its end."""
        return figures.seconds(request.latency_ms)

    @admin.display(description="first token")
    def first_token(self, request: Any) -> str:
        """Until the answer began."""
        return figures.seconds(request.first_token_ms)


_TOOL_PARTS = {"tool-call": "Calls", "tool-return": "Result of", "retry-prompt": "Error of"}


def _tools(content: Any) -> str:
    """The tools of a message that has no text."""
    parts = content.get("parts", ()) if isinstance(content, dict) else ()
    return ", ".join(
        f"{_TOOL_PARTS[part['part_kind']]} {part['tool_name']}"
        for part in parts
        if part.get("part_kind") in _TOOL_PARTS and part.get("tool_name")
    )


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _text(text: str) -> SafeString:
    return format_html('<div class="chatrecord-text">{}</div>', text)


def _failed(error: str) -> SafeString:
    return format_html('<div class="chatrecord-text chatrecord-failed">{}</div>', error)


def _folded(text: str) -> SafeString:
    if len(text) <= _LONG:
        return _text(text) if text else format_html("{}", figures.UNKNOWN)
    return format_html(
        '<details class="chatrecord-long"><summary>{}</summary>{}</details>',
        _text(f"{text[:_LONG]}…"),
        _text(text),
    )
