"""Chats as instances of the mapped class: typed by its columns, and in no session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.orm import InstanceState, Mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from chatrecord.records import ChatRecord
from chatrecord.store.rows import GivenRow

from .rows import chat_values, own_columns

_FIELDS = {"title": "title", "instructions": "instructions", "metadata_": "metadata"}
"""The library's own columns that an application may set, and the fields that they are."""


def row_of(model: type, chat: ChatRecord) -> object:
    """An instance as a session would have loaded it, but for the number of the next message."""
    mapper: Mapper[Any] = inspect(model)
    instance: object = mapper.class_manager.new_instance()
    for name, value in chat_values(chat).items():
        if name != "next_seq" and name in mapper.columns:
            set_committed_value(instance, name, value)
    make_transient_to_detached(instance)
    return instance


def new_row(model: type, row: object) -> GivenRow:
    """What was given to a new instance."""
    state = _state(model, row)
    if not state.transient:
        msg = (
            f"create_chat() takes a new {model.__name__}: this one is in a session or stored. "
            "Make one, and do not add it"
        )
        raise ValueError(msg)
    values = {name: value for name, value in state.dict.items() if name in _columns(state)}
    return _given(state, values)


def changed_row(model: type, chat: ChatRecord, row: object) -> GivenRow:
    """What was set in an instance since it was made or loaded."""
    state = _state(model, row)
    if state.transient or getattr(row, "id", None) != chat.id:
        msg = f"update() takes the row of this chat: change chat.row, not another {model.__name__}"
        raise ValueError(msg)
    names = [name for name in _columns(state) if state.attrs[name].history.added]
    return _given(state, {name: state.dict[name] for name in names})


def _state(model: type, row: object) -> InstanceState[Any]:
    if not isinstance(row, model):
        msg = f"The row of a chat is a {model.__name__} here, not {type(row).__name__}"
        raise TypeError(msg)
    state: InstanceState[Any] = inspect(row)
    relationships = [name for name, _ in state.mapper.relationships.items()]
    related = [name for name in relationships if state.dict.get(name)]
    if related:
        msg = (
            f"{model.__name__}.{related[0]} is a relationship, which is not stored from here: set "
            "the column of its foreign key"
        )
        raise TypeError(msg)
    return state


def _given(state: InstanceState[Any], values: Mapping[str, object]) -> GivenRow:
    own = own_columns(_columns(state))
    columns = {name: value for name, value in values.items() if name in own}
    known = {_FIELDS[name]: value for name, value in values.items() if name in _FIELDS}
    others = values.keys() - columns.keys() - _FIELDS.keys() - {"id"}
    if others:
        msg = f"{min(others)} of a chat is set by the library: leave it out"
        raise TypeError(msg)
    chat_id = values.get("id")
    return GivenRow(columns, known, chat_id if isinstance(chat_id, UUID) else None)


def _columns(state: InstanceState[Any]) -> list[str]:
    return [str(name) for name, _ in state.mapper.columns.items()]
