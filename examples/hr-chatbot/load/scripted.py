"""An LLM for measuring: so many words, at a steady pace, and no two answers alike."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel

WORDS = int(os.environ.get("LOAD_WORDS", "100"))
PACE = float(os.environ.get("LOAD_PACE", "0.1"))
"""Seconds between two words."""

_answers = itertools.count(1)


async def _speak(_messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
    answer = next(_answers)
    for word in range(WORDS):
        await asyncio.sleep(PACE)
        yield f"{answer}.{word} "


def llm() -> Model:
    return FunctionModel(stream_function=_speak, model_name="scripted")
