"""What is to change of a chat, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, Literal, TypeAlias, cast

from chatrecord.records import ChatRecord
from chatrecord.runs.process import Backend
from chatrecord.text.arguments import check_text

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
    chat: ChatRecord,
    row: object | None,
    *,
    title: str | Unchanged | None,
    metadata: object,
    instructions: str | Unchanged | None,
    columns: Mapping[str, object],
) -> dict[str, object]:
    """The fields and columns that change. Raises `TypeError` or `ValueError`."""
    fields = {"title": title, "metadata": metadata, "instructions": instructions}
    changes = {name: value for name, value in fields.items() if value is not UNCHANGED}
    if row is not None:
        changed = backend.store.changed_row(chat, row)
        check_given_once([*changed.fields, *changed.columns], [*changes, *columns])
        changes |= changed.fields
        columns = {**changed.columns, **columns}
    if "title" in changes:
        changes["title"] = checked_title(cast(str | None, changes["title"]))
    if "metadata" in changes:
        changes["metadata"] = backend.runtime.metadata_type.stored(changes["metadata"])
    check_text("instructions", changes.get("instructions"))
    for name, value in columns.items():
        backend.store.check_column(name, value)
    return {**changes, **columns}


def check_given_once(in_row: Iterable[str], as_keywords: Iterable[str]) -> None:
    """Raise `TypeError` for what is given in a row and as a keyword."""
    twice = sorted({*in_row} & {*as_keywords})
    if twice:
        msg = f"{twice[0]} is given twice: set it in the row, or pass {twice[0]}="
        raise TypeError(msg)


def changes_of(opened: OpenedLLM) -> dict[str, object]:
    """The fields of a chat that say which LLM it has."""
    target = opened.llm.target
    return {"model": target.model, "provider": target.provider, "agent": opened.llm.agent}
