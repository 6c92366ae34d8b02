"""Hooks: what sees and changes requests, tool calls and ends of runs.

    chat = await create_chat(db, "openai:gpt-5.2", hooks=[MaskPersonalData(), LogUsage()])

Write your own by inheriting from `Hook`.
"""

from .detectors import Detector, Found, phone_numbers, presidio
from .hook import Hook
from .log_usage import LogUsage
from .mask import MaskPersonalData
from .moderate import Moderate
from .moments import (
    Answered,
    BudgetWarning,
    Replaced,
    RunEnd,
    Sending,
    Text,
    ToolUse,
    ToolUsed,
    Veto,
)
from .patterns import PERSONAL_DATA, Pattern

__all__ = [
    "PERSONAL_DATA",
    "Answered",
    "BudgetWarning",
    "Detector",
    "Found",
    "Hook",
    "LogUsage",
    "MaskPersonalData",
    "Moderate",
    "Pattern",
    "Replaced",
    "RunEnd",
    "Sending",
    "Text",
    "ToolUse",
    "ToolUsed",
    "Veto",
    "phone_numbers",
    "presidio",
]
