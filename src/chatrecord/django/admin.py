"""Chats in Django's admin: to find, to read and to delete. Nothing in it changes a chat.

Models of yours register themselves: `admin.site.register(MyChat, ChatAdmin)`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.timezone import localtime

from . import figures
from .admin_rows import MessageRows, RequestRows, ToolCallRows
from .model_names import NAMES, model_of, name_of
from .usage_page import usage_context


class StateFilter(admin.SimpleListFilter):
    """Chats that are being answered, that wait for approval, or in which something failed."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """The choices."""
        return [
            ("active", "Being answered"),
            ("parked", "Waiting for approval"),
            ("failed", "With a failed answer"),
            ("request", "With a failed request"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chats of the choice."""
        runs = model_of("run")._base_manager.filter(chat=OuterRef("pk"))
        requests = model_of("request")._base_manager.filter(chat=OuterRef("pk"))
        chosen = {
            "active": runs.filter(status__in=("queued", "waiting", "running")),
            "parked": runs.filter(status="parked"),
            "failed": runs.filter(status="failed"),
            "request": requests.filter(status="failed"),
        }
        found = chosen.get(self.value() or "")
        return queryset if found is None else queryset.filter(Exists(found))


class ChatAdmin(admin.ModelAdmin):
    """The list of chats, a chat with its rows, and the usage of all."""

    list_display = ("name", "user", "answered_by", "messages", "cost", "errors", "used")
    list_display_links = ("name",)
    list_filter = (StateFilter, "updated_at")
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-updated_at", "-id")
    search_help_text = "Words of a title, the name of a user, or the id of a chat"
    change_list_template = "admin/chatrecord/chats.html"
    inlines = (MessageRows, ToolCallRows, RequestRows)

    class Media:
        css = {"all": ["chatrecord/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Chats are created by the application."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """What was said stays as it was said."""
        return False

    def get_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """The columns of a chat, those of yours among them."""
        hidden = {"next_seq"}
        named = [field.name for field in self.model._meta.concrete_fields]
        return [name for name in named if name not in hidden]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Titles, and the names of users. Encrypted titles are not found."""
        return ["title", f"user__{get_user_model().USERNAME_FIELD}"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The chat of this id, or those whose title or user has these words."""
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            found: tuple[QuerySet[Any], bool] = super().get_search_results(
                request, queryset, search_term
            )
            return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Each chat with what its rows add up to."""
        messages, requests = _of_chat("message"), _of_chat("request")
        found: QuerySet[Any] = super().get_queryset(request)
        return found.annotate(
            message_count=_one(messages, Count("pk")),
            request_cost=_one(requests, Sum("cost")),
            unpriced=_one(requests, Count("pk", filter=Q(cost=None))),
            failed=_one(requests, Count("pk", filter=Q(status="failed"))),
        )

    @admin.display(description="chat", ordering="created_at")
    def name(self, chat: Any) -> str:
        """The title, or the end of the id, which differs where its beginning is a time."""
        return str(chat.title or f"…{str(chat.pk)[-12:]}")

    @admin.display(description="model")
    def answered_by(self, chat: Any) -> str:
        """The agent or the model."""
        return str(chat.agent or chat.model or figures.UNKNOWN)

    @admin.display(description="messages")
    def messages(self, chat: Any) -> str:
        """How many there are."""
        return figures.count(chat.message_count or 0)

    @admin.display(description="cost")
    def cost(self, chat: Any) -> str:
        """What is known of it; a plus where some requests have no price."""
        known = figures.money(chat.request_cost)
        return f"{known}+" if chat.unpriced and chat.request_cost is not None else known

    @admin.display(description="errors")
    def errors(self, chat: Any) -> str:
        """Failed requests."""
        if not chat.failed:
            return figures.UNKNOWN
        failed: str = format_html('<strong class="chatrecord-failed">{}</strong>', chat.failed)
        return failed

    @admin.display(description="last used", ordering="updated_at")
    def used(self, chat: Any) -> str:
        """When it was last used."""
        return f"{localtime(chat.updated_at):%Y-%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        """Those of a model, and the usage page."""
        page = self.admin_site.admin_view(self.usage_view)
        own: list[URLPattern] = [path("usage/", page, name="chatrecord_usage")]
        return own + list(super().get_urls())

    def usage_view(self, request: HttpRequest) -> HttpResponse:
        """What the requests have used, and how they went."""
        from django.core.exceptions import PermissionDenied  # noqa: PLC0415

        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **usage_context(request),
            "title": "Usage",
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/chatrecord/usage.html", context)


def _of_chat(kind: str) -> QuerySet[Any]:
    return model_of(kind)._base_manager.filter(chat=OuterRef("pk")).order_by().values("chat")


def _one(rows: QuerySet[Any], figure: models.Aggregate) -> Subquery:
    return Subquery(rows.annotate(figure=figure).values("figure"))


if name_of("chat") == f"chatrecord.{NAMES['chat']}":
    admin.site.register(model_of("chat"), ChatAdmin)
