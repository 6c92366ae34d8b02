"""For tests: an LLM that follows a script, and the promises every database has to keep."""

from .recording import recorded
from .recording_file import NotRecorded
from .script import Script
from .script_events import Event, call, fail, hang, meet, say, think

__all__ = [
    "Event",
    "NotRecorded",
    "Script",
    "call",
    "fail",
    "hang",
    "meet",
    "recorded",
    "say",
    "think",
]
