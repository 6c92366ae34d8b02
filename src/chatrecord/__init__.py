"""ActiveRecord conventions for LLM chats.

    from chatrecord.sqlalchemy import Database, create_chat, load_chat

This package itself holds what does not depend on a database: the records, the errors, the limits.
"""

from importlib.metadata import version

from chatrecord.attachments.attachment import Attachment
from chatrecord.attachments.stores import AttachmentStore, FolderStore, FsspecStore
from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.llm.tools import repeatable
from chatrecord.runs.compaction import Compact
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.store.window import Window

from .errors import (
    AgentMismatch,
    AnswerInvalid,
    ApprovalPending,
    AttachmentNotFound,
    AttachmentTooLarge,
    BudgetExceeded,
    ChatBusy,
    ChatExists,
    ChatNotFound,
    ChatRecordError,
    ConfigurationError,
    ContextTooLong,
    CostLimitExceeded,
    DatabaseFailed,
    HookFailed,
    ImportInvalid,
    KeyMissing,
    LeaseLost,
    LimitExceeded,
    MessageNotFound,
    NothingToResume,
    ProviderError,
    RateLimited,
    Refused,
    RunError,
    RunInterrupted,
    RunNotFound,
    SentBefore,
    StepLimitExceeded,
    StreamStalled,
    StreamTruncated,
    TimeLimitExceeded,
    TokenLimitExceeded,
    ToolCallLimitExceeded,
    ToolFailed,
    UnknownPrice,
)
from .records import (
    ApiRequest,
    Attached,
    ChatRecord,
    Chunk,
    Message,
    Reply,
    Run,
    Tokens,
    ToolCall,
    Usage,
)

__version__ = version("chatrecord")

__all__ = [
    "AgentMismatch",
    "AnswerInvalid",
    "ApiRequest",
    "ApprovalPending",
    "Attached",
    "Attachment",
    "AttachmentNotFound",
    "AttachmentStore",
    "AttachmentTooLarge",
    "Budget",
    "BudgetExceeded",
    "Chat",
    "ChatBusy",
    "ChatExists",
    "ChatNotFound",
    "ChatRecord",
    "ChatRecordError",
    "ChatStream",
    "Chunk",
    "Compact",
    "ConfigurationError",
    "ContextTooLong",
    "CostLimitExceeded",
    "DatabaseFailed",
    "FolderStore",
    "FsspecStore",
    "HookFailed",
    "ImportInvalid",
    "KeyMissing",
    "LeaseLost",
    "LimitExceeded",
    "Limits",
    "Message",
    "MessageNotFound",
    "NothingToResume",
    "ProviderError",
    "RateLimited",
    "Refused",
    "Reply",
    "Run",
    "RunError",
    "RunInterrupted",
    "RunNotFound",
    "SentBefore",
    "StepLimitExceeded",
    "StreamStalled",
    "StreamTruncated",
    "TimeLimitExceeded",
    "TokenLimitExceeded",
    "Tokens",
    "ToolCall",
    "ToolCallLimitExceeded",
    "ToolFailed",
    "UnknownPrice",
    "Usage",
    "Window",
    "repeatable",
]
