"""JSON that cannot be changed in place: such a change would never be stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn


def read_only(value: Any) -> Any:
    """The same JSON, read-only to its last level."""
    if isinstance(value, Mapping):
        return ReadOnlyDict({key: read_only(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return ReadOnlyList(read_only(item) for item in value)
    return value


def read_only_within(value: Any) -> Any:
    """A value of any type, whose lists and mappings are read-only: also those of its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return _with_fields(value, [each.name for each in fields(value)])
    if hasattr(type(value), "model_fields"):
        return _with_fields(value, type(value).model_fields)
    if isinstance(value, Mapping):
        return ReadOnlyDict({key: read_only_within(item) for key, item in value.items()})
    if isinstance(value, list):
        return ReadOnlyList(map(read_only_within, value))
    return tuple(map(read_only_within, value)) if type(value) is tuple else value


def _with_fields(value: Any, names: Iterable[str]) -> Any:
    """A copy, as what is within may be a default that all share; itself if nothing changes."""
    before = {name: getattr(value, name) for name in names}
    after = {name: read_only_within(item) for name, item in before.items()}
    changed = {name: item for name, item in after.items() if item is not before[name]}
    if not changed:
        return value
    instance = copy(value)
    for name, item in changed.items():
        object.__setattr__(instance, name, item)  # it is frozen
    return instance


def writable(value: Any) -> Any:
    """A copy of the same JSON that can be changed."""
    if isinstance(value, Mapping):
        return {key: writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [writable(item) for item in value]
    return value


def _refuse(*_: object, **__: object) -> NoReturn:
    msg = (
        "This is read-only, as a change here would not be stored: change a copy (copy.deepcopy), "
        "and write it with chat.update(...)"
    )
    raise TypeError(msg)


class ReadOnlyDict(dict[str, Any]):
    """A dictionary that refuses to be changed. Its deep copy is an ordinary dictionary."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: object) -> Any:
        return writable(self)

    def __reduce__(self) -> tuple[object, ...]:
        return read_only, (writable(self),)


class ReadOnlyList(list[Any]):
    """A list that refuses to be changed. Its deep copy is an ordinary list."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: object) -> Any:
        return writable(self)

    def __reduce__(self) -> tuple[object, ...]:
        return read_only, (writable(self),)
