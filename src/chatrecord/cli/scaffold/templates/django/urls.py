"""The addresses of the project."""

from __future__ import annotations

from chatrecord.django.urls import chat_urls
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from pages import page

urlpatterns = [
    path("", page),
    path("api/chats", include(chat_urls(settings.LLM, on_busy="interrupt"))),
    path("admin/", admin.site.urls),
]
