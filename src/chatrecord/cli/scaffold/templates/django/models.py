"""The tables of chats that have columns of your own. The others are those of chatrecord.django."""

from __future__ import annotations

from chatrecord.django.abstract_models import AbstractChat
from django.db import models


class Chat(AbstractChat):
    """A chat, and whose it is."""

    department = models.CharField(max_length=100, blank=True, null=True)
