"""Routes for Starlette and FastAPI, which the AI SDK's `useChat` and other clients understand.

from chatrecord.web import chat_routes

app = Starlette(routes=chat_routes(db, "openai:gpt-5.2", owner=signed_in, prefix="/api/chats"))
"""

from chatrecord.web.protocols.ag_ui import AGUIEncoder
from chatrecord.web.protocols.ai_sdk import AISDKEncoder, Version
from chatrecord.web.protocols.encoder import Encoder, Ending, Opening, Seen
from chatrecord.web.protocols.sse import SSEEncoder

from .error_responses import Problem
from .ownership import Owner, PerRequest
from .pages import Protocol
from .routes import chat_routes

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
