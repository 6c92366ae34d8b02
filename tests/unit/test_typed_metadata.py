"""Metadata of a type of the application's: checked when it is set, and of that type when read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NotRequired
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic import TypeAdapter as Adapter
from starlette.applications import Starlette
from typing_extensions import TypedDict

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database, create_chat, import_history, list_chats, load_chat
from chatrecord.testing import Script
from chatrecord.web import chat_routes

KEY = UUID("01890000-0000-7000-8000-000000000000")


class AsDict(TypedDict):
    team: str
    since: date
    tags: NotRequired[list[str]]


@dataclass(frozen=True)
class AsDataclass:
    team: str
    since: date
    limit: Decimal = Decimal("0.10")
    keys: tuple[UUID, ...] = field(default=(KEY,))


class AsModel(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    team: str = Field(min_length=2)
    since: date
    keys: tuple[UUID, ...] = (KEY,)


@dataclass(frozen=True)
class Within:
    names: list[str]


@dataclass(frozen=True, slots=True)
class WithLists:
    tags: list[str]
    by_name: dict[str, list[int]]
    within: Within


SHARED = Within(["a"])


@dataclass(frozen=True)
class WithDefault:
    within: Within = SHARED  # the same one in all of them


class ModelWithLists(BaseModel):
    model_config = ConfigDict(frozen=True)
    tags: list[str]
    within: Within


@dataclass
class Changeable:
    team: str


class ChangeableModel(BaseModel):
    team: str


class OpenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")
    team: str = "none"


SINCE = date(2026, 11, 30)
GIVEN: list[tuple[type, Any]] = [
    (AsDict, AsDict(team="HR", since=SINCE, tags=["a"])),
    (AsDataclass, AsDataclass("HR", SINCE)),
    (AsModel, AsModel(team="HR", since=SINCE)),
]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Any]:
    """A function that opens a database with a type of metadata."""
    made: list[Database[Any, Any]] = []

    async def opened(kind: Any) -> Database[Any, Any]:
        db: Database[Any, Any] = Database(f"sqlite:///{tmp_path / 'chats.db'}", metadata_type=kind)
        await db.create_tables()
        made.append(db)
        return db

    yield opened
    for db in made:
        await db.close()


@pytest.mark.parametrize(("kind", "metadata"), GIVEN, ids=["TypedDict", "dataclass", "model"])
async def test_metadata_is_read_as_the_type_it_was_set_as(
    opened: Any, kind: type, metadata: Any
) -> None:
    db = await opened(kind)
    chat = await create_chat(db, Script(), user_id="u1", metadata=metadata)

    for each in (chat, await load_chat(db, Script(), chat.id)):
        assert each.metadata == metadata
        assert isinstance(each.record.metadata["since"], str)
    assert (await list_chats(db))[0].metadata == chat.record.metadata

    as_json = deepcopy(chat.record.metadata) | {"team": "IT"}
    await chat.update(metadata=as_json)
    team = chat.metadata["team"] if kind is AsDict else chat.metadata.team
    assert team == "IT"
    assert chat.record.metadata == as_json


@pytest.mark.parametrize("kind", [AsDict, AsDataclass, AsModel])
@pytest.mark.parametrize(
    ("metadata", "place"),
    [
        ({"team": "HR"}, "'since'"),
        ({"team": 7, "since": "2026-11-30"}, "'team'"),
        ({"team": "HR", "since": "yesterday"}, "'since'"),
        ({"team": "HR", "since": "2026-11-30", "taem": "IT"}, "'taem'"),
        (None, "'team'"),
        ("HR", ""),
    ],
)
async def test_metadata_of_another_type_is_refused_and_nothing_is_written(
    opened: Any, kind: type, metadata: Any, place: str
) -> None:
    db = await opened(kind)
    with pytest.raises(ValueError, match=rf"metadata= does not fit {kind.__name__}.*{place}"):
        await create_chat(db, Script(), metadata=metadata)
    with pytest.raises(ValueError, match="metadata= does not fit"):
        await import_history(db, [], format="openai", metadata=metadata)
    assert await list_chats(db) == []

    valid = {"team": "HR", "since": "2026-11-30"}
    chat = await create_chat(db, Script(), metadata=valid, title="Kept")
    with pytest.raises(ValueError, match="metadata= does not fit"):
        await chat.update(metadata=metadata, title="New")
    assert (await load_chat(db, Script(), chat.id)).record == chat.record


async def test_typed_metadata_cannot_be_changed_in_place(opened: Any) -> None:
    for kind, metadata in GIVEN:
        db = await opened(kind)
        read = (await create_chat(db, Script(), metadata=metadata)).metadata
        if kind is AsDict:
            with pytest.raises(TypeError, match=r"chat\.update"):
                read["team"] = "IT"
            with pytest.raises(TypeError, match=r"chat\.update"):
                read["tags"].append("b")
        else:
            with pytest.raises((AttributeError, ValueError)):
                read.team = "IT"


async def test_lists_within_typed_metadata_cannot_be_changed_in_place(opened: Any) -> None:
    """A change of them would be lost as well, on any level."""
    of_dataclass = WithLists(["a"], {"b": [1]}, Within(["c"]))
    of_model = ModelWithLists(tags=["a"], within=Within(["c"]))
    for kind, metadata in ((WithLists, of_dataclass), (ModelWithLists, of_model)):
        chat = await create_chat(await opened(kind), Script(), metadata=metadata)
        read = chat.metadata
        assert read == metadata
        for changed in (read.tags, read.within.names):
            with pytest.raises(TypeError, match=r"chat\.update"):
                changed.append("b")
        copied = deepcopy(read)
        copied.tags.append("b")
        await chat.update(metadata=copied)
        assert chat.metadata.tags == ["a", "b"]
    assert (of_dataclass.tags, of_model.tags) == (["a"], ["a"])
    of_dataclass.within.names.append("the caller's own stays as it is")


async def test_a_default_that_all_share_stays_as_it_is(opened: Any) -> None:
    chat = await create_chat(await opened(WithDefault), Script(), metadata=WithDefault())
    with pytest.raises(TypeError, match=r"chat\.update"):
        chat.metadata.within.names.append("b")
    SHARED.names.append("b")
    SHARED.names.remove("b")


async def test_a_first_message_without_the_metadata_that_a_chat_needs_is_a_422(opened: Any) -> None:
    db = await opened(AsModel)
    routes = chat_routes(
        db, "test", owner=lambda _: {"user_id": "u1"}, create_on_first_message=True
    )
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        told = await page.post("/", json={"id": "mine", "text": "Hi?"})
    assert told.status_code == 422
    assert "'metadata'" in told.json()["error"]["message"]
    assert await list_chats(db) == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Changeable, r"@dataclass\(frozen=True\)"),
        (ChangeableModel, r"ConfigDict\(frozen=True\)"),
        (dict, "a TypedDict, a dataclass or a Pydantic model"),
        (Adapter(AsDict), "takes a TypedDict"),
    ],
)
def test_what_could_be_changed_in_place_is_no_type_of_metadata(kind: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Database("sqlite:///chats.db", metadata_type=kind)


async def test_metadata_from_before_is_there_though_it_does_not_fit(opened: Any) -> None:
    """The chat works, and the record has what is stored."""
    chat = await create_chat(await opened(OpenModel), Script(), metadata={"team": "HR", "n": 1})
    assert chat.record.metadata == {"team": "HR", "n": 1}

    later = await load_chat(await opened(AsDict), Script(), chat.id)

    with pytest.raises(ValueError, match=rf"metadata of chat {chat.id} does not fit AsDict"):
        _ = later.metadata
    assert later.record.metadata == {"team": "HR", "n": 1}
    await later.update(metadata=AsDict(team="HR", since=SINCE))
    assert later.metadata == {"team": "HR", "since": SINCE}


async def test_a_page_gets_a_422_for_metadata_of_another_type(opened: Any) -> None:
    db = await opened(AsModel)
    routes = chat_routes(
        db, "test", owner=lambda _: {"user_id": "u1"}, editable=["metadata"],
        create_on_first_message=True,
    )  # fmt: skip
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        valid = {"team": "HR", "since": "2026-11-30"}
        chat = (await page.post("/new", json={"metadata": valid})).json()
        assert chat["metadata"] == {**valid, "keys": [str(KEY)]}
        for wrong in ({"team": "x"}, {**valid, "taem": "IT"}, {}):
            told = await page.patch(f"/{chat['id']}", json={"metadata": wrong})
            assert told.status_code == 422, told.text
            assert (await page.post("/new", json={"metadata": wrong})).status_code == 422
        changed = await page.patch(f"/{chat['id']}", json={"metadata": {**valid, "team": "IT"}})
        assert changed.json()["metadata"]["team"] == "IT"


async def test_a_first_message_creates_a_chat_with_the_defaults_of_its_type(opened: Any) -> None:
    db = await opened(OpenModel)
    routes = chat_routes(
        db, "test", owner=lambda _: {"user_id": "u1"}, create_on_first_message=True
    )
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        question = {"id": "q-1", "role": "user", "parts": [{"type": "text", "text": "Hi?"}]}
        answered = await page.post("/", json={"id": "mine", "messages": [question]})
        assert answered.status_code == 200
        assert [chat.metadata for chat in await list_chats(db)] == [{"team": "none"}]
