"""A message is stored without the fields that say nothing, and is read as it was."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest
from pydantic_ai.messages import (
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolReturnPart,
)
from pydantic_ai.usage import RequestUsage

from chatrecord.pydantic_ai.empty_fields import _NEEDED
from chatrecord.pydantic_ai.messages import _message, body_of


def classes_in(kind: object) -> Iterator[type]:
    if isinstance(kind, type):
        yield kind
    for inner in get_args(kind):
        yield from classes_in(inner)


PARTS = {*classes_in(ModelRequestPart), *classes_in(ModelResponsePart)}
CLASSES = sorted(filter(is_dataclass, {ModelRequest, ModelResponse, *PARTS}), key=str)


def test_an_answer_is_stored_without_what_it_does_not_say() -> None:
    answer = ModelResponse([TextPart("Hi")], usage=RequestUsage(input_tokens=3))

    content: Any = body_of(answer).content

    assert content["parts"] == [{"content": "Hi", "id": None, "part_kind": "text"}]
    assert content["usage"] == {"input_tokens": 3}
    assert None not in content.values()
    assert _message.validate_python(content) == answer


def test_a_result_is_stored_with_everything_that_is_none_in_it() -> None:
    nothing = ToolReturnPart("look_up", None, "1")
    something = ToolReturnPart("look_up", {"found": None, "more": [{"next": None}]}, "2")
    request = ModelRequest([nothing, something], metadata={"rating": None})

    content: Any = body_of(request).content

    assert [part["content"] for part in content["parts"]] == [nothing.content, something.content]
    assert content["metadata"] == {"rating": None}
    assert _message.validate_python(content) == request


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_field_that_is_left_out_is_read_as_none(kind: Any) -> None:
    hints = get_type_hints(kind)
    nullable = [each for each in fields(kind) if _takes_none(hints[each.name])]

    assert {each.name for each in nullable if not _is_none_by_default(each)} <= set(_NEEDED)


def test_tokens_that_are_left_out_are_read_as_none_used() -> None:
    empty = _message.dump_python(ModelResponse([]), mode="json")["usage"]

    assert not any(empty.values())


def _takes_none(hint: object) -> bool:
    return hint is Any or hint is type(None) or type(None) in get_args(hint)


def _is_none_by_default(field: Field[Any]) -> bool:
    return field.default is None and field.default_factory is MISSING
