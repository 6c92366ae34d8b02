"""A script that is none is told where it is written."""

from __future__ import annotations

from typing import Any

import pytest

from chatrecord.testing import Script, say


@pytest.mark.parametrize("answer", ["x", say("x"), [], ["x"], None])
def test_an_answer_that_is_no_list_of_events_is_refused(answer: Any) -> None:
    with pytest.raises(TypeError, match="list of events"):
        Script(answer)


def test_a_piece_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="pieces of text"):
        say(["a", "b"])  # type: ignore[arg-type]
