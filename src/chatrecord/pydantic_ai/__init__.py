"""The one room that knows pydantic-ai."""

from .agent import AgentLLM, answers, is_agent, open_llm
from .merged_deltas import MergedDeltas
from .persisted import Persisted, message_history
from .search_tool import search_tool

__all__ = [
    "AgentLLM",
    "MergedDeltas",
    "Persisted",
    "answers",
    "is_agent",
    "message_history",
    "open_llm",
    "search_tool",
]
