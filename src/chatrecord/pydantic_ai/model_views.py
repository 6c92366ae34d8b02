"""A model as it is, but for some attributes.

The model is the application's: nothing on it is changed. A copy would have a state of its own, and
what a subclass counts, caches or rotates would be lost with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic_ai.models import Model

AnyModel = TypeVar("AnyModel", bound=Model)

_INSTEAD = "_chatrecord_instead"
_VIEW = "_chatrecord_view"


def view_of(model: AnyModel, **attributes: object) -> AnyModel:
    """The model with these attributes. It shares all others with the model, those set later too."""
    kind = type(model)
    is_view = hasattr(kind, _VIEW)
    instead = {**getattr(model, _INSTEAD), **attributes} if is_view else attributes
    view = object.__new__(_kind_of(kind.__mro__[1] if is_view else kind, tuple(sorted(instead))))
    view.__dict__ = model.__dict__
    setattr(view, _INSTEAD, instead)
    return cast(AnyModel, view)


@lru_cache(maxsize=128)
def _kind_of(base: type, names: tuple[str, ...]) -> Any:
    """A subclass whose attributes of these names are in a slot beside what is shared."""
    members: dict[str, Any] = {name: _instead(name) for name in names}
    members |= {"__slots__": (_INSTEAD,), "__module__": base.__module__, _VIEW: True}
    return type(base.__name__, (base,), members)


def _instead(name: str) -> property:
    return property(lambda view: getattr(view, _INSTEAD)[name])
