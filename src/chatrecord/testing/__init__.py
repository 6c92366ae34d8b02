"""For tests: an LLM that follows a script, and the promises every database has to keep."""

from .script import Event, Script, call, fail, hang, meet, say, think

__all__ = ["Event", "Script", "call", "fail", "hang", "meet", "say", "think"]
