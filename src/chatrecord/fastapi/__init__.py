"""The routes of `chatrecord.web` as a FastAPI router, with their models in the OpenAPI document.

from chatrecord.fastapi import chat_router

app.include_router(chat_router(db, "openai:gpt-5.2", owner=Depends(signed_in)), prefix="/api")
"""

from .router import chat_router

__all__ = ["chat_router"]
