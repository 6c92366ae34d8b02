"""The routes of `chatrecord.web` in a URLconf, under WSGI and ASGI.

    urlpatterns = [
        path("chats/", include(chat_urls("openai:gpt-5.2"))),
    ]

Only signed-in users get their chats: without `owner=`, those whose `user` is `request.user`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt
from starlette.requests import Request
from starlette.responses import Response

from chatrecord.web import chat_routes
from chatrecord.web.ownership import is_function

from .caller import Caller
from .chats import with_ids
from .database import db
from .http import asked_by, request_of, response_of

Owner: TypeAlias = Callable[[HttpRequest], Mapping[str, object] | None]
"""Whose chats a request may see, such as `{"user_id": 1}`; `None` where nobody is signed in."""

PerRequest: TypeAlias = Callable[[HttpRequest, Mapping[str, object]], object]
"""An LLM, or the options of a chat, for this request and the scope of who asks."""

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def chats_of_user(request: HttpRequest) -> Mapping[str, object] | None:
    """Those of the signed-in user."""
    return {"user_id": request.user.pk} if request.user.is_authenticated else None


def chat_urls(
    llm: object,
    *,
    owner: Owner = chats_of_user,
    options: PerRequest | None = None,
    csrf: bool = True,
    **settings: Any,
) -> list[URLPattern]:
    """Return the URLs for a page of chats, for `include`.

        path("chats/", include(chat_urls("openai:gpt-5.2", on_busy="interrupt")))

    They are the routes of `chatrecord.web.chat_routes`, which takes the other keywords: its
    settings and `RuntimeOptions`. `owner`, `options` and a function as `llm` get Django's request
    and run in its thread, so that they may use Django's models. `csrf=False` is for clients that do
    not sign in with cookies. Raises `TypeError` and `ValueError` for keywords that cannot work.
    """
    routes = chat_routes(
        db,
        partial(_for_request, cast(PerRequest, llm)) if is_function(llm) else llm,
        owner=partial(_owned, owner),
        options=None if options is None else partial(_for_request, options),
        **settings,
    )
    endpoints: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for route in routes:
        for method in route.methods or ():
            endpoints[route.path][method] = route.endpoint
    return [re_path(pattern_of(path), view_of(by, csrf=csrf)) for path, by in endpoints.items()]


def pattern_of(path: str) -> str:
    """The route behind the prefix. `useChat` joins `chats/` and `/{id}/stream` as they are."""
    return "^(?:/)?" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.strip("/")) + "$"


def view_of(endpoints: Mapping[str, Endpoint], *, csrf: bool) -> Callable[..., HttpResponseBase]:
    """A view of these endpoints by their methods."""

    @login_not_required  # a page gets a 401, and no redirect to a form
    @non_atomic_requests  # an answer has transactions of its own
    def view(request: HttpRequest, **parameters: str) -> HttpResponseBase:
        endpoint = endpoints.get(request.method or "")
        if endpoint is None:
            return HttpResponseNotAllowed(list(endpoints))
        caller = Caller()
        answered = _answered(endpoint, request_of(request, parameters, caller))
        return response_of(caller.wait(answered), request)

    answered: Callable[..., HttpResponseBase] = view if csrf else csrf_exempt(view)
    return answered


async def _answered(endpoint: Endpoint, request: Request) -> Response:
    return await endpoint(request)


async def _owned(owner: Owner, request: Request) -> object:
    asked = asked_by(request)

    def scope() -> object:  # in the thread of the request, where `request.user` may be read
        found = owner(asked.request)
        return found if found is None else with_ids(found)

    return await asked.caller.run(scope)


async def _for_request(
    function: PerRequest, request: Request, scope: Mapping[str, object]
) -> object:
    asked = asked_by(request)
    return await asked.caller.run(lambda: function(asked.request, scope))
