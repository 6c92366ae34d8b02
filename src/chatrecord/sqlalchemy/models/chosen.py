"""The classes that a `Database` is given, and those of them that it uses."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.tables import READY_MADE

from .mixins import Models


def models_of(given: Models | type[DeclarativeBase] | None) -> Models:
    """Those of the application, or the ready-made ones. Raises `ConfigurationError`."""
    if given is None:
        return READY_MADE
    if isinstance(given, Models):
        return given
    if not isinstance(given, type) or not hasattr(given, "metadata"):
        msg = f"models= takes a DeclarativeBase with your tables, or Models(...), not {given!r}"
        raise ConfigurationError(msg)
    return Models.of(given)


def without(models: Models, keep_tool_calls: bool, keep_requests: bool) -> Models:
    """The classes without those of rows that are not kept."""
    return Models(
        chat=models.chat,
        run=models.run,
        message=models.message,
        chunk=models.chunk,
        tool_call=models.tool_call if keep_tool_calls else None,
        request=models.request if keep_requests else None,
        attachment=models.attachment,
        usage_day=models.usage_day if keep_requests else None,
        event=models.event,
        event_reader=models.event_reader,
        feedback=models.feedback,
    )
