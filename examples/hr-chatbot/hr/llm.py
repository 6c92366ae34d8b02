"""Which LLM answers: the one asked for, that of a key in the environment, or the local one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from pydantic_ai.models import Model

from chatrecord.cli.llm import LOCAL, model_of_environment
from chatrecord.local import MODEL_NAME, local_llm

from .settings import Settings


@asynccontextmanager
async def open_llm(settings: Settings) -> AsyncIterator[Model | str]:
    """The LLM, ready to answer. One on this machine is stopped at the end."""
    kind, _, module = settings.llm.partition(":")
    if kind == "script":  # tests only
        yield import_module(module).llm()
        return
    model = settings.model or model_of_environment()
    if model != LOCAL:
        yield model
        return
    async with local_llm() as llm:
        yield llm


def is_small(llm: Model | str) -> bool:
    """Whether it is the one on this machine, which cannot choose tools."""
    return isinstance(llm, Model) and llm.model_name == MODEL_NAME
