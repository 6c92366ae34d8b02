"""What each turn gets of a message in memory is a copy of its own, whatever the message holds."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from pydantic_ai.messages import ModelMessage
from test_any_parts import REQUESTS, RESPONSES

from chatrecord.pydantic_ai.pristine import Pristine


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(REQUESTS | RESPONSES)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(message: ModelMessage) -> None:
    before, pristine = deepcopy(message), Pristine(message)

    copy = pristine.copy()

    assert copy == before
    assert type(copy) is type(before)
    assert not {id(it) for it in changeable(copy)} & {id(it) for it in changeable(message)}
    assert not {id(it) for it in changeable(copy)} & {id(it) for it in changeable(pristine.copy())}


def changeable(value: Any) -> list[Any]:
    """Everything in a value whose insides can be replaced."""
    if isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, list | tuple):
        inside = list(value)
    elif hasattr(value, "__dict__"):
        inside = list(vars(value).values())
    else:
        return []
    own = [] if isinstance(value, tuple) else [value]
    return [*own, *(each for item in inside for each in changeable(item))]
