"""The models to inherit from, if you want columns of your own.

    class Chat(AbstractChat):
        department = models.CharField(max_length=100, blank=True)

and `CHATRECORD_CHAT_MODEL = "hr.Chat"` in the settings. Their fields, indexes and constraints are
made from the mixins of `chatrecord.sqlalchemy`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .columns import add_columns, constraints_of, indexes_of


class AbstractChat(models.Model):
    """A chat, with its owner."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,  # the index below begins with it
        related_name="+",
    )

    class Meta:
        abstract = True
        indexes = indexes_of("chat", ("user", "updated_at", "id"))
        constraints = constraints_of("chat")

    def __str__(self) -> str:
        return str(self.title or f"Chat {self.pk}")


class AbstractRun(models.Model):
    """The run from a user message to its final answer."""

    class Meta:
        abstract = True
        indexes = indexes_of("run")
        constraints = constraints_of("run")

    def __str__(self) -> str:
        return f"Run {self.pk}"


class AbstractMessage(models.Model):
    """One message."""

    class Meta:
        abstract = True
        indexes = indexes_of("message")
        constraints = constraints_of("message")

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"


class AbstractToolCall(models.Model):
    """One tool call, with its raw result or error."""

    class Meta:
        abstract = True
        indexes = indexes_of("tool_call")
        constraints = constraints_of("tool_call")

    def __str__(self) -> str:
        return str(self.name)


class AbstractRequest(models.Model):
    """One attempt at a provider, with its tokens, cost and times."""

    class Meta:
        abstract = True
        indexes = indexes_of("request")
        constraints = constraints_of("request")

    def __str__(self) -> str:
        return f"Request {self.pk}"


class AbstractChunk(models.Model):
    """A piece of a live answer."""

    pk = models.CompositePrimaryKey("message_id", "seq")

    class Meta:
        abstract = True
        indexes = indexes_of("chunk")
        constraints = constraints_of("chunk")

    def __str__(self) -> str:
        return f"Chunk {self.pk}"


class AbstractAttachment(models.Model):
    """A file that messages refer to by its hash."""

    class Meta:
        abstract = True
        indexes = indexes_of("attachment")
        constraints = constraints_of("attachment")

    def __str__(self) -> str:
        return str(self.name or self.hash)


class AbstractUsageDay(models.Model):
    """What the requests of a past day have used, added up."""

    pk = models.CompositePrimaryKey("day", "place")

    class Meta:
        abstract = True
        indexes = indexes_of("usage_day")
        constraints = constraints_of("usage_day")

    def __str__(self) -> str:
        return f"{self.day} {self.place}"


class AbstractEvent(models.Model):
    """What has happened to a chat, for readers outside."""

    class Meta:
        abstract = True
        indexes = indexes_of("event")
        constraints = constraints_of("event")

    def __str__(self) -> str:
        return f"{self.type} {self.position}"


class AbstractEventReader(models.Model):
    """How far a reader of the events has come."""

    class Meta:
        abstract = True
        indexes = indexes_of("event_reader")
        constraints = constraints_of("event_reader")

    def __str__(self) -> str:
        return f"{self.name} {self.position}"


class AbstractFeedback(models.Model):
    """What somebody thinks of a message."""

    class Meta:
        abstract = True
        indexes = indexes_of("feedback")
        constraints = constraints_of("feedback")

    def __str__(self) -> str:
        return f"{self.value} {self.message_id}"


for _kind, _model in {
    "chat": AbstractChat,
    "run": AbstractRun,
    "message": AbstractMessage,
    "tool_call": AbstractToolCall,
    "request": AbstractRequest,
    "chunk": AbstractChunk,
    "attachment": AbstractAttachment,
    "usage_day": AbstractUsageDay,
    "event": AbstractEvent,
    "event_reader": AbstractEventReader,
    "feedback": AbstractFeedback,
}.items():
    add_columns(_model, _kind)
