"""Whatever text there is, it can be stored, and it comes back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chatrecord.text.storable import escape, escape_json, loads, unescape, unescape_json

any_text = st.text(st.characters(exclude_categories=())) | st.text("\x00\x1a\ud800\udfff0aA")
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(any_text, inner),
)


@given(any_text)
def test_text_comes_back(text: str) -> None:
    assert unescape(escape(text)) == text


@given(any_text)
def test_escaped_text_is_what_every_database_takes(text: str) -> None:
    stored = escape(text)

    assert "\x00" not in stored
    stored.encode("utf-8")


@given(any_json)
def test_json_comes_back(value: object) -> None:
    assert unescape_json(escape_json(value)) == value


@given(any_json, st.booleans())
def test_json_text_comes_back(value: object, ascii_only: bool) -> None:
    assert loads(json.dumps(escape_json(value), ensure_ascii=ascii_only)) == value


@given(st.text(st.characters(exclude_characters="\x00\x1a", codec="utf-8")))
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert escape(text) == text
