"""What a page may change of a chat: only what the application has named."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chatrecord.chats.titles import LONGEST_TITLE
from chatrecord.runs.process import Backend

from .bodies import invalid, optional_text
from .client_messages import metadata_of

_FIELDS = ("title", "metadata", "instructions")
_OF_UPDATE = ("self", "row", "llm")
"""Columns of these names cannot be set by keyword: `chat.update` takes something else by them."""

_LONGEST_INSTRUCTIONS = 100_000


def checked_editable(caller: str, db: Backend, editable: Sequence[str]) -> frozenset[str]:
    """What a page may change. Raises `TypeError` for names of nothing that can be changed."""
    if isinstance(editable, str):
        msg = f"{caller} takes a list of names: editable=[{editable!r}]"
        raise TypeError(msg)
    columns = [name for name in db.store.chat_columns() if name not in _OF_UPDATE]
    known = [*_FIELDS, *columns]
    unknown = [name for name in editable if name not in known]
    if unknown:
        msg = f"{caller} got unknown names in editable=: {unknown}. There are: {', '.join(known)}"
        raise TypeError(msg)
    return frozenset(editable)


def changes_in(
    body: dict[str, object], editable: Collection[str], scope: Mapping[str, object]
) -> dict[str, Any]:
    """The changes that a body asks for. What says whose a chat is never changes here."""
    if not body:
        raise invalid("There is nothing to change: send a 'title', or null.")
    for name in body:
        if name not in editable or name in scope:
            raise invalid(f"{name!r} cannot be changed here.")
    return {name: _value(body, name) for name in body}


def title_in(body: dict[str, object]) -> str | None:
    """The title in a body."""
    title = optional_text(body, "title", longest=LONGEST_TITLE)
    if title is not None and not title.strip():
        raise invalid("'title' is blank.")
    return title


def _value(body: dict[str, object], name: str) -> object:
    if name == "title":
        return title_in(body)
    if name == "metadata":
        return metadata_of(body) or {}
    if name == "instructions":
        return optional_text(body, name, longest=_LONGEST_INSTRUCTIONS)
    return body[name]
