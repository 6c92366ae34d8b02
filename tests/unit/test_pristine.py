"""What each turn gets of a message in memory is a copy of its own, whatever the message holds."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic_ai import messages
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart
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


@pytest.mark.skipif(not hasattr(messages, "RetryInfo"), reason="an older Pydantic AI")
def test_parts_that_hold_what_cannot_be_changed_are_copied_too() -> None:
    """Such as why a tool is to be called again, which is frozen."""
    why = messages.RetryInfo("model_retry", attempt=1, max_retries=2)
    message = ModelRequest(parts=[ToolReturnPart("add", "Once more.", "call_1", retry=why)])

    assert Pristine(message).copy() == message
