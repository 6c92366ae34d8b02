"""Routes for Starlette and FastAPI, which the AI SDK's `useChat` and other clients understand.

from chatrecord.web import chat_routes

app = Starlette(routes=chat_routes(db, "openai:gpt-5.2", owner=signed_in, prefix="/api/chats"))
"""

from .access import Owner, PerRequest
from .ai_sdk import AISDKEncoder
from .encoder import Encoder, Ending, Opening
from .routes import Protocol, chat_routes

__all__ = [
    "AISDKEncoder",
    "Encoder",
    "Ending",
    "Opening",
    "Owner",
    "PerRequest",
    "Protocol",
    "chat_routes",
]
