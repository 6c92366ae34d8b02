"""Files are left out of a message while it is made into JSON, and nothing of it shows."""

from __future__ import annotations

import gc
from copy import deepcopy
from typing import Any
from weakref import ref

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, UserPromptPart
from test_any_parts import REQUESTS, RESPONSES

from chatrecord.attachments.embedded_files import EncodedFile, File, encoded, taken_out
from chatrecord.pydantic_ai.empty_fields import without_empty_fields
from chatrecord.pydantic_ai.messages import _message, body_of


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(REQUESTS | RESPONSES)
def test_a_message_with_files_is_dumped_as_the_llm_library_dumps_it(message: ModelMessage) -> None:
    before = deepcopy(message)

    content = body_of(message).content

    assert content == without_empty_fields(_message.dump_python(message, mode="json"))
    assert message == before


@given(st.binary(max_size=20) | st.integers(0, 9).map(lambda more: b"\xff" * (3 * 2**20 + more)))
@settings(max_examples=30)
def test_base64_is_the_same_however_long_a_file_is(data: bytes) -> None:
    message = ModelRequest(parts=[UserPromptPart([BinaryContent(data, media_type="text/plain")])])
    dumped: Any = _message.dump_python(message, mode="json")

    assert encoded(data) == dumped["parts"][0]["content"][0]["data"]


def test_a_file_is_encoded_once_however_often_its_message_is_dumped() -> None:
    message = ModelRequest(
        parts=[UserPromptPart(["see", BinaryContent(b"%PDF", media_type="a/b")])]
    )

    first, second = _data_of(body_of(message).content), _data_of(body_of(message).content)

    assert first is second
    assert isinstance(first, EncodedFile)


def test_a_file_that_was_encoded_here_is_not_decoded() -> None:
    message = ModelRequest(parts=[UserPromptPart([BinaryContent(b"%PDF-1", media_type="a/b")])])
    found: dict[str, File] = {}

    taken_out(body_of(message).content, found)

    (file,) = found.values()
    assert file.data is message.parts[0].content[0].data  # type: ignore[union-attr, index]


def test_what_was_encoded_is_not_kept() -> None:
    held = EncodedFile.of(bytes(range(256)) * 1000)
    seen = ref(held)

    del held
    gc.collect()

    assert seen() is None


def _data_of(content: Any) -> Any:
    return content["parts"][0]["content"][-1]["data"]
