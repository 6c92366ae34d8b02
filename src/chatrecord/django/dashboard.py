"""The dashboard of `chatrecord.web` in a URLconf, under WSGI and ASGI.

    urlpatterns = [
        path("chats-admin/", include(dashboard_urls())),
    ]

Without `allowed=`, it is for staff who may view chats in the admin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import URLPattern, re_path
from starlette.requests import Request

from chatrecord.web.dashboard.app import endpoints

from .chats import with_ids
from .database import db
from .http import Asked, asked_by
from .model_names import model_of
from .urls import pattern_of, view_of

Allowed: TypeAlias = Callable[[HttpRequest], object]
"""Whether this request may see the dashboard: `True`, or the columns of the chats it may see."""

NamesOf: TypeAlias = Callable[[Collection[Any]], Mapping[Any, object]]
"""What people call these values of a column."""

_asked: ContextVar[Asked] = ContextVar("asked")


def may_view_chats(request: HttpRequest) -> bool:
    """Whether this is a member of the staff who may view chats."""
    chat = model_of("chat")._meta
    user = request.user
    is_viewer = user.has_perm(f"{chat.app_label}.view_{chat.model_name}")
    return bool(user.is_active and user.is_staff and is_viewer)


def names_of_users(ids: Collection[Any]) -> Mapping[Any, object]:
    """The user names."""
    users = get_user_model()._base_manager.in_bulk(list(ids))
    return {found: user.get_username() for found, user in users.items()}


def dashboard_urls(
    *,
    allowed: Allowed = may_view_chats,
    names: Mapping[str, NamesOf] | None = None,
    without_models: Sequence[str] = (),
    heartbeat: float = 15.0,
) -> list[URLPattern]:
    """Return the URLs of the dashboard, for `include`.

        path("chats-admin/", include(dashboard_urls()))

    `allowed` is a function of Django's request. `True` shows everything, columns of the chat such
    as `{"user": request.user}` what belongs to chats with these, anything else is a 404. It and the
    functions of `names` run in the thread of the request, so that they may use Django's models.
    Without `names`, users have their user names. The others are those of
    `chatrecord.web.dashboard.dashboard`.
    """
    found = endpoints(
        db,
        allowed=partial(_allowed, allowed),
        names={
            column: partial(_named, function)
            for column, function in (names or {"user_id": names_of_users}).items()
        },
        without_models=without_models,
        heartbeat=heartbeat,
    )
    return [
        re_path(pattern_of(path), view_of({"GET": endpoint}, csrf=True))
        for path, endpoint in found.items()
    ]


async def _allowed(allowed: Allowed, request: Request) -> object:
    asked = asked_by(request)
    _asked.set(asked)  # for the names, which are looked up by the same task

    def scope() -> object:
        found = allowed(asked.request)
        return with_ids(found) if isinstance(found, Mapping) else found

    return await asked.caller.run(scope)


async def _named(function: NamesOf, values: Collection[Any]) -> object:
    return await _asked.get().caller.run(lambda: function(values))
