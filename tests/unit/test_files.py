"""Files are taken out of any JSON value and put back; attachments are read, named and measured."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatrecord import Attachment
from chatrecord.attachments import FolderStore, FsspecStore
from chatrecord.attachments.attachment import read_attachments
from chatrecord.attachments.embedded_files import File, digest, put_back, referred_to, taken_out
from chatrecord.errors import AttachmentTooLarge

PNG = b"\x89PNG\r\n\x1a\n and more"
DATA = st.one_of(
    st.binary(max_size=8).map(lambda data: urlsafe_b64encode(data).decode()),
    st.binary(max_size=8).map(lambda data: b64encode(data).decode()),
    st.sampled_from(["", "AA", "no base64!", "\x1a:", "ä"]),
    st.fixed_dictionaries({"attachment": st.sampled_from([None, "0" * 64, 1]), "was": st.just({})}),
    st.fixed_dictionaries({"attachment": st.sampled_from(["0" * 64, [], {}]), "size": st.just(1)}),
    st.just({}) | st.just(1) | st.none(),
)
FILES = st.fixed_dictionaries(
    {"kind": st.just("binary"), "data": DATA},
    optional={"media_type": st.sampled_from(["image/png", 1]), "identifier": st.text(max_size=3)},
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | FILES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "kind", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_is_read_as_it_was_stored(value: Any) -> None:
    found: dict[str, File] = {}
    stored = taken_out(value, found)
    data = {file.hash: file.data for file in found.values()}

    assert repr(put_back(stored, data)) == repr(value)
    assert set(referred_to(stored)) == set(found)
    assert all(digest(file.data) == name for name, file in found.items())


@given(VALUES)
def test_a_value_without_a_place_for_files_keeps_them(value: Any) -> None:
    assert repr(put_back(taken_out(value, None), {})) == repr(value)


@given(VALUES)
def test_what_is_stored_may_be_stored_again(value: Any) -> None:
    found: dict[str, File] = {}
    stored = taken_out(value, found)
    assert taken_out(stored, found, is_stored=True) == stored


@given(VALUES)
def test_what_nobody_has_taken_out_is_read_all_the_same(value: Any) -> None:
    """As it stands in an export that somebody has changed."""
    put_back(value, {})
    assert all(isinstance(name, str) for name in referred_to(value))


def test_a_missing_file_is_reported() -> None:
    value = {"kind": "binary", "media_type": "image/png", "data": "AAAA", "identifier": "x.png"}
    assert put_back([taken_out(value, {})], {}) == [
        "[The file x.png (image/png) is no longer kept]"
    ]


async def kind_of(**given: Any) -> str | None:
    (read,) = await read_attachments([Attachment(**given)], None)
    return read.media_type


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        (None, PNG, "image/png"),
        ("wrong.jpg", PNG, "image/png"),
        (None, b"%PDF-1.7", "application/pdf"),
        (None, b"RIFF\0\0\0\0WAVEfmt", "audio/wav"),
        (None, b"RIFF\0\0\0\0WEBPVP8", "image/webp"),
        ("a.csv", b"a,b", "text/csv"),
        ("a.MD", b"# a", "text/markdown"),
        (None, "Grüße".encode(), "text/plain"),
        ("a.docx", b"PK\x03\x04\0",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)  # fmt: skip
async def test_a_kind_is_known_by_the_bytes_or_the_name(
    name: str | None, data: bytes, kind: str
) -> None:
    assert await kind_of(data=data, name=name) == kind


async def test_an_address_is_known_by_its_path_and_not_fetched() -> None:
    (read,) = await read_attachments(["https://nowhere.invalid/a%20b/cat.jpg?size=1"], None)
    assert (read.url, read.media_type, read.name) == (
        "https://nowhere.invalid/a%20b/cat.jpg?size=1", "image/jpeg", "cat.jpg"
    )  # fmt: skip


async def test_a_path_is_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "chart.png").write_bytes(PNG)
    (read,) = await read_attachments([tmp_path / "chart.png"], 100)
    assert (read.data, read.media_type, read.name) == (PNG, "image/png", "chart.png")


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({}, ValueError, "exactly one of"),
        ({"data": b"a", "url": "https://a.b"}, ValueError, "exactly one of"),
        ({"data": b"a", "fetch": True}, ValueError, "give its url="),
        ({"data": "text"}, TypeError, "takes bytes"),
        ({"url": "file:///etc/passwd"}, ValueError, "begins with https://"),
        ({"data": b"a", "media_type": "png"}, ValueError, "image/png"),
    ],
)
def test_what_is_no_attachment_is_refused(
    wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        Attachment(**wrong)


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        (["report.pdf"], TypeError, r"Path\(\.\.\.\)"),
        ([b"bytes"], TypeError, r"Attachment\(data="),
        ("https://a.b/c.png", TypeError, "takes a list"),
        ([Attachment(data=b"")], ValueError, "empty"),
        ([Attachment(data=b"\0\1\2")], ValueError, "media_type="),
        (["https://a.b/c"], ValueError, "media_type="),
        ([Attachment(data=b"12345", name="a.txt")], AttachmentTooLarge,
         r"a\.txt is 5 bytes long, and 4 are allowed: raise Limits\(attachment_bytes="),
    ],
)  # fmt: skip
async def test_what_cannot_be_attached_says_what_to_do(
    given: Any, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        await read_attachments(given, 4)


async def test_a_large_file_is_not_read_at_all(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing
    with pytest.raises(AttachmentTooLarge, match=r"large\.bin is 1,099,511,627,776 bytes"):
        await read_attachments([large], 10_000)


@pytest.fixture(params=["folder", "fsspec"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FolderStore | FsspecStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "files")
    return FsspecStore(fsspec.filesystem("file"), str(tmp_path / "files"))


async def test_a_store_keeps_and_forgets(store: FolderStore | FsspecStore, tmp_path: Path) -> None:
    key, other = f"{uuid4()}/{digest(PNG)}", f"{uuid4()}/{digest(b'')}"
    await store.put(key, b"half of it")
    await store.put(key, PNG)
    await store.put(other, b"")

    assert (await store.get(key), await store.get(other)) == (PNG, b"")
    for each in (key, key, other):
        await store.delete(each)
    assert (await store.get(key), await store.get(other)) == (None, None)
    assert files_in(tmp_path) == []


async def test_a_folder_keeps_nothing_of_a_process_that_was_killed(tmp_path: Path) -> None:
    key = f"{uuid4()}/{digest(PNG)}"
    half = tmp_path / key
    half.parent.mkdir()
    half.with_name(f".{half.name}.0123").write_bytes(PNG[:4])

    assert await FolderStore(tmp_path).get(key) is None
    await FolderStore(tmp_path).delete(key)
    assert files_in(tmp_path) == []


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
