"""Metadata of a type of the application's: checked when it is set, and typed when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Protocol

from chatrecord.errors import ConfigurationError
from chatrecord.read_only import read_only_within
from chatrecord.records import Json

from .arguments import checked_metadata


class MetadataType(Protocol):
    """What the metadata of chats is."""

    def stored(self, metadata: object) -> dict[str, Json]:
        """The JSON of this metadata. Raises `TypeError` or `ValueError`, which names the field."""

    def read(self, chat: str, metadata: Mapping[str, Json]) -> Any:
        """The metadata of a chat. Raises `ValueError` if it was stored before it had this type."""


class _Untyped:
    def stored(self, metadata: object) -> dict[str, Json]:
        return checked_metadata(metadata)

    def read(self, chat: str, metadata: Mapping[str, Json]) -> Any:
        return metadata


UNTYPED_METADATA: MetadataType = _Untyped()
"""Any JSON object."""


class TypedMetadata:
    """A `TypedDict`, a frozen dataclass or a frozen Pydantic model, as the type of all metadata."""

    def __init__(self, given: Any) -> None:
        from pydantic import PydanticUserError, TypeAdapter  # noqa: PLC0415 - only who uses it pays

        _check_frozen(given)
        self._name: str = given.__name__
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(given)
        except PydanticUserError as error:
            msg = f"metadata_type={self._name} is no type for Pydantic: {_first_line(error)}"
            raise ConfigurationError(msg) from error
        config = getattr(given, "model_config", getattr(given, "__pydantic_config__", {}))
        self._extra = None if "extra" in config else "forbid"

    def stored(self, metadata: object) -> dict[str, Json]:
        given = {} if metadata is None else metadata
        valid = self._valid("metadata=", given, self._extra)
        dumped = checked_metadata(self._adapter.dump_python(valid, mode="json"))
        self._read("metadata=", dumped)  # what is set can be read
        return dumped

    def read(self, chat: str, metadata: Mapping[str, Json]) -> Any:
        return self._read(f"The metadata of chat {chat}", metadata)

    def _read(self, whose: str, metadata: Mapping[str, Json]) -> Any:
        return read_only_within(self._valid(whose, metadata, None))

    def _valid(self, whose: str, metadata: object, extra: Any) -> Any:
        """As JSON where it is JSON: strict models tell a date in JSON from a text in Python."""
        from pydantic import ValidationError  # noqa: PLC0415 - only who uses it pays

        try:
            text = json.dumps(metadata) if isinstance(metadata, Mapping) else None
        except (TypeError, ValueError):
            text = None
        try:
            if text is not None:
                return self._adapter.validate_json(text, extra=extra)
            return self._adapter.validate_python(metadata, extra=extra)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = "".join(f"[{part!r}]" for part in first["loc"])
            msg = f"{whose} does not fit {self._name}: {place} {first['msg']}".replace(":  ", ": ")
            raise ValueError(msg) from None


def _check_frozen(given: Any) -> None:
    """Refuse what could be changed in place: such a change would not be stored."""
    if not isinstance(given, type):
        msg = f"metadata_type= takes a TypedDict, a dataclass or a Pydantic model, not {given!r}"
        raise ConfigurationError(msg)
    if is_dataclass(given):
        is_frozen = bool(vars(given)["__dataclass_params__"].frozen)
        fix = "@dataclass(frozen=True)"
    elif hasattr(given, "model_config"):
        is_frozen = bool(given.model_config.get("frozen"))
        fix = "model_config = ConfigDict(frozen=True)"
    elif hasattr(given, "__required_keys__"):
        return
    else:
        msg = (
            f"metadata_type={given.__name__} is none: it takes a TypedDict, a dataclass or a "
            "Pydantic model"
        )
        raise ConfigurationError(msg)
    if not is_frozen:
        msg = (
            f"metadata_type={given.__name__} can be changed in place, and such a change would not "
            f"be stored: make it {fix}"
        )
        raise ConfigurationError(msg)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
