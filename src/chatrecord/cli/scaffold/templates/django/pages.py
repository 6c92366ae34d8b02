"""The page of a user's chats."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import ensure_csrf_cookie

PAGE = Path(__file__).with_name("index.html")


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """Show the chats of the signed-in user.

    Replace the first lines by your sign-in: they make a user of each browser that comes.
    """
    if not request.user.is_authenticated:
        login(request, get_user_model().objects.create_user(username=uuid4().hex))
    return HttpResponse(PAGE.read_bytes())
