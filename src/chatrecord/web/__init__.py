"""Routes for Starlette and FastAPI, which the AI SDK's `useChat` and other clients understand.

from chatrecord.web import chat_routes

app = Starlette(routes=chat_routes(db, "openai:gpt-5.2", owner=signed_in, prefix="/api/chats"))
"""

from .access import Owner, PerRequest
from .ag_ui import AGUIEncoder
from .ai_sdk import AISDKEncoder, Version
from .encoder import Encoder, Ending, Opening, Seen
from .problems import Problem
from .routes import Protocol, chat_routes
from .sse import SSEEncoder

__all__ = [
    "AGUIEncoder",
    "AISDKEncoder",
    "Encoder",
    "Ending",
    "Opening",
    "Owner",
    "PerRequest",
    "Problem",
    "Protocol",
    "SSEEncoder",
    "Seen",
    "Version",
    "chat_routes",
]
