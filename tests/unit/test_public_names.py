"""The top level has what applications write every day; the rest is where it belongs."""

from __future__ import annotations

import pytest

import chatrecord
from chatrecord.errors import ChatNotFound
from chatrecord.records import ToolCall


def test_the_top_level_has_a_dozen_names() -> None:
    assert len(chatrecord.__all__) <= 12
    assert all(hasattr(chatrecord, name) for name in chatrecord.__all__)


@pytest.mark.parametrize("moved", [ChatNotFound, ToolCall])
def test_what_has_moved_is_found_with_a_word_about_where_it_is(moved: type) -> None:
    with pytest.warns(DeprecationWarning, match=f"from {moved.__module__} import"):
        assert getattr(chatrecord, moved.__name__) is moved


def test_what_never_was_is_not_there() -> None:
    with pytest.raises(AttributeError, match="Nonsense"):
        chatrecord.Nonsense  # type: ignore[attr-defined]  # noqa: B018
