"""The one room that knows pydantic-ai."""

from .agent import AgentLLM, answers, is_agent, open_llm
from .persisted import Persisted, message_history

__all__ = ["AgentLLM", "Persisted", "answers", "is_agent", "message_history", "open_llm"]
