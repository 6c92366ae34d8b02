"""The models of this app: each is left out where a setting names one of yours."""

from __future__ import annotations

from .abstract_models import (
    AbstractAttachment,
    AbstractChat,
    AbstractChunk,
    AbstractEvent,
    AbstractEventReader,
    AbstractFeedback,
    AbstractMessage,
    AbstractRequest,
    AbstractRun,
    AbstractToolCall,
    AbstractUsageDay,
)
from .model_names import setting_of


class Chat(AbstractChat):
    """`llm_chats`"""

    class Meta(AbstractChat.Meta):
        db_table = "llm_chats"
        swappable = setting_of("chat")


class Run(AbstractRun):
    """`llm_runs`"""

    class Meta(AbstractRun.Meta):
        db_table = "llm_runs"
        swappable = setting_of("run")


class Message(AbstractMessage):
    """`llm_messages`"""

    class Meta(AbstractMessage.Meta):
        db_table = "llm_messages"
        swappable = setting_of("message")


class ToolCall(AbstractToolCall):
    """`llm_tool_calls`"""

    class Meta(AbstractToolCall.Meta):
        db_table = "llm_tool_calls"
        swappable = setting_of("tool_call")


class Request(AbstractRequest):
    """`llm_requests`"""

    class Meta(AbstractRequest.Meta):
        db_table = "llm_requests"
        swappable = setting_of("request")


class Chunk(AbstractChunk):
    """`llm_chunks`"""

    class Meta(AbstractChunk.Meta):
        db_table = "llm_chunks"
        swappable = setting_of("chunk")


class Attachment(AbstractAttachment):
    """`llm_attachments`"""

    class Meta(AbstractAttachment.Meta):
        db_table = "llm_attachments"
        swappable = setting_of("attachment")


class UsageDay(AbstractUsageDay):
    """`llm_usage_days`"""

    class Meta(AbstractUsageDay.Meta):
        db_table = "llm_usage_days"
        swappable = setting_of("usage_day")


class Event(AbstractEvent):
    """`llm_events`"""

    class Meta(AbstractEvent.Meta):
        db_table = "llm_events"
        swappable = setting_of("event")


class EventReader(AbstractEventReader):
    """`llm_event_readers`"""

    class Meta(AbstractEventReader.Meta):
        db_table = "llm_event_readers"
        swappable = setting_of("event_reader")


class Feedback(AbstractFeedback):
    """`llm_feedback`"""

    class Meta(AbstractFeedback.Meta):
        db_table = "llm_feedback"
        swappable = setting_of("feedback")
