"""Who may look, and at which chats."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

from starlette.requests import Request

from chatrecord.records import ChatRecord
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.text.arguments import checked_id
from chatrecord.web.bodies import invalid
from chatrecord.web.error_responses import NOT_FOUND, BadRequest

Value = TypeVar("Value")

Allowed: TypeAlias = Callable[[Request], object]
"""Whether this request may see the dashboard: `True`, or the columns of the chats that it may see,
such as `{"department": "HR"}`. Anything else is a 404. May be async."""

Names: TypeAlias = Mapping[str, Callable[[Collection[Any]], object]]
"""What people call the values of a column: `{"user_id": function}`. The function gets some values,
and returns a mapping of those that have a name. May be async."""


@dataclass(frozen=True, slots=True)
class Access:
    """Access to chats: only for those who are allowed, and to what they are allowed to see."""

    backend: Backend
    allowed: Allowed
    names: Names = field(default_factory=dict)

    async def scope(self, request: Request) -> Scope:
        """The columns of the chats that this request may see; none: all chats.

        No mapping, an empty one, or one with `None` in it means that nobody is signed in.
        """
        found = await awaited(self.allowed(request))
        if found is True:
            return {}
        if not isinstance(found, Mapping) and found not in (False, None):
            msg = f"allowed= returns True, False or columns of a chat, not {type(found).__name__}"
            raise TypeError(msg)
        if not isinstance(found, Mapping) or not found or None in found.values():
            raise BadRequest(NOT_FOUND.status, NOT_FOUND.code, "There is nothing here.")
        for name, value in found.items():
            self.backend.store.check_column(name, value)
        return dict(found)

    async def narrowed(self, request: Request) -> Scope | None:
        """The scope with the columns that the address names (`column.user_id=`).

        `None` if no chat can be in it, since the address names what is not in the scope.
        """
        scope = dict(await self.scope(request))
        for key, text in request.query_params.items():
            name = key.removeprefix("column.")
            if name == key or text == "":
                continue
            value = self._value(name, text)
            if name in scope and scope[name] != value:
                return None
            scope[name] = value
        return scope

    def _value(self, name: str, text: str) -> object:
        """The value of a column that is written so: text, or else a number or an id."""
        if name not in self.backend.store.chat_columns():
            raise invalid(f"A chat has no column {name[:99]!r}.")
        for value in _readings(text):
            try:
                self.backend.store.check_column(name, value)
            except (TypeError, ValueError):
                continue
            return value
        raise invalid(f"Not a value of {name!r}.")

    async def chat(self, request: Request) -> ChatRecord:
        """The chat of the address, if it is in the scope. Raises `BadRequest`."""
        scope, chat_id = await self.scope(request), checked_id(request.path_params["id"])
        chat = None if chat_id is None else await self.backend.store.get_chat(chat_id, scope)
        if chat is None:
            raise BadRequest(NOT_FOUND.status, NOT_FOUND.code, NOT_FOUND.message)
        return chat

    async def named(self, column: str, values: Collection[object]) -> Mapping[object, object]:
        """What people call these values of a column."""
        known = set(values) - {None}
        if column not in self.names or not known:
            return {}
        return cast(Mapping[object, object], await awaited(self.names[column](known)))


def _readings(text: str) -> list[object]:
    readings: list[object] = [text]
    if text.removeprefix("-").isdecimal() and len(text) < 20:  # noqa: PLR2004 - what 64 bits hold
        readings.append(int(text))
    if text in ("true", "false"):
        readings.append(text == "true")
    readings.append(checked_id(text))
    return [reading for reading in readings if reading is not None]


async def awaited(value: object) -> object:
    """What a function has returned, sync or async."""
    return await cast(Awaitable[object], value) if inspect.isawaitable(value) else value
