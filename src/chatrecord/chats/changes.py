"""What is to change of a chat, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal, TypeAlias

from chatrecord.runs.process import Backend
from chatrecord.text.arguments import check_text, checked_metadata

from .opened import OpenedLLM
from .titles import checked_title


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


Unchanged: TypeAlias = Literal[_Unchanged.UNCHANGED]
"""The type of `UNCHANGED`."""

UNCHANGED: Final = _Unchanged.UNCHANGED
"""What is left out of a change: `None` would remove it."""


def checked_changes(
    backend: Backend,
    *,
    title: str | Unchanged | None,
    metadata: object,
    instructions: str | Unchanged | None,
    columns: Mapping[str, object],
) -> dict[str, object]:
    """The fields and columns that change. Raises `TypeError` or `ValueError`."""
    changes: dict[str, object] = {}
    if title is not UNCHANGED:
        changes["title"] = checked_title(title)
    if metadata is not UNCHANGED:
        changes["metadata"] = checked_metadata(metadata)
    if instructions is not UNCHANGED:
        check_text("instructions", instructions)
        changes["instructions"] = instructions
    for name, value in columns.items():
        backend.store.check_column(name, value)
        changes[name] = value
    return changes


def changes_of(opened: OpenedLLM) -> dict[str, object]:
    """The fields of a chat that say which LLM it has."""
    target = opened.llm.target
    return {"model": target.model, "provider": target.provider, "agent": opened.llm.agent}
