"""Search by meaning: within the scope to the letter, of texts as they are, each embedded once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic_ai import Embedder
from pydantic_ai.embeddings import EmbeddingResult
from pydantic_ai.embeddings.test import TestEmbeddingModel
from sqlalchemy import Connection, insert, make_url, text, update
from sqlalchemy.exc import SAWarning

from chatrecord.alembic import include_object
from chatrecord.errors import ConfigurationError, SearchUnavailable
from chatrecord.pydantic_ai import search_tool
from chatrecord.sqlalchemy import (
    Database,
    Keys,
    create_chat,
    delete_chat,
    erase_owner,
    restore_chat,
    search_messages,
    usage,
)
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, call, say
from servers import own_postgres

VECTORS = "chatrecord_search_vectors_llm_messages"
MEANINGS = ({"wifi", "online", "network"}, {"holiday", "vacation", "leave"}, {"otter", "badger"})


class Meanings(TestEmbeddingModel):
    """Counts words by what they mean; the last dimension has the words that mean nothing here."""

    def __init__(self, name: str = "meanings") -> None:
        super().__init__(name, dimensions=4)
        self.sent: list[str] = []
        self.failing: set[str] = set()
        self.began = asyncio.Event()
        self.waits_for: asyncio.Event | None = None

    async def embed(self, inputs: str | Sequence[str], **options: Any) -> EmbeddingResult:
        result = await super().embed(inputs, **options)
        self.sent += result.inputs
        self.began.set()
        await asyncio.sleep(0.01)
        if self.waits_for is not None:
            await self.waits_for.wait()
        if self.failing & set(result.inputs):
            raise ConnectionError
        result.embeddings = [_vector(each) for each in result.inputs]
        return result


def _vector(said: str) -> list[float]:
    words = said.lower().strip("?.").split()
    counts = [float(sum(word in known for word in words)) for known in MEANINGS]
    return [*counts, 0.1 * (len(words) - sum(counts))]


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with own_postgres() as server:
        yield server.url.render_as_string(hide_password=False)


@pytest.fixture
async def bare(server_url: str) -> AsyncIterator[Database[Any]]:
    """A database of its own, without the extension."""
    name = f"semantic_{uuid4().hex}"
    async with Database(server_url) as server, server.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql(f"CREATE DATABASE {name}")
    async with Database(make_url(server_url).set(database=name)) as db:
        await db.create_tables()
        yield db


@pytest.fixture
async def db(bare: Database[Any], model: Meanings) -> Database[Any]:
    await done(bare, "CREATE EXTENSION vector")
    await bare.create_semantic_search(model, dimensions=4)
    return bare


@pytest.fixture
def model() -> Meanings:
    return Meanings()


async def done(db: Database[Any], sql: str) -> list[Any]:
    async with db.engine.begin() as connection:
        found = await connection.execute(text(sql))
        return list(found.scalars()) if found.returns_rows else []


async def talk(db: Database[Any], question: str, answer: str = "Yes.", user: str = "u") -> Any:
    chat = await create_chat(db, Script([say(answer)], [say("Again.")]), user_id=user)
    await chat.ask(question)
    return chat


async def texts(db: Database[Any], query: str, model: Any, **options: Any) -> list[str]:
    hits = await search_messages(db, query, semantic=model, **options)
    return [hit.snippet.text for hit in hits]


async def test_the_closest_meaning_is_first_whatever_its_words(
    db: Database[Any], model: Meanings
) -> None:
    chat = await talk(db, "When is my vacation?", "The wifi is in the lobby.")
    embedder = Embedder(model)

    assert await db.embed_messages(embedder) == 2
    assert await db.embed_messages(embedder) == 0
    hits = await search_messages(db, "get online", semantic=embedder, user_id="u")

    assert [hit.snippet.text for hit in hits] == [
        "The wifi is in the lobby.", "When is my vacation?"
    ]  # fmt: skip
    assert (hits[0].chat_id, hits[0].seq, hits[0].role) == (chat.id, 2, "assistant")
    assert 1 >= hits[0].rank > hits[1].rank
    assert await texts(db, " ", embedder) == []
    spent = {it.by["kind"]: it.usage for it in await usage(db, by=["kind"])}
    assert spent["embedding"].requests == 2, "one for the texts, one for the query"
    assert (spent["embedding"].input_tokens or 0) > 0


async def test_an_owner_finds_all_of_their_own_and_nothing_of_others(
    db: Database[Any], model: Meanings
) -> None:
    """Although the closest of all owners are others', more than an index looks at."""
    mine = await talk(db, "A holiday?", "An otter.", user="mine")
    other = await talk(db, "Wifi?", "Online.", user="other")
    await said(db, other.id, ["wifi " * n + "please" for n in range(1, 300)])
    await db.embed_messages(model)
    await use_the_index(db)

    hits = await search_messages(db, "wifi", semantic=model, user_id="mine")
    assert {hit.chat_id for hit in hits} == {mine.id}
    assert len(hits) == 2
    with pytest.raises(TypeError, match="unknown keyword"):
        await search_messages(db, "wifi", semantic=model, owner="mine")

    await delete_chat(db, other.id, soft=True)
    assert {hit.chat_id for hit in await search_messages(db, "wifi", semantic=model)} == {mine.id}


async def said(db: Database[Any], chat_id: Any, questions: Sequence[str]) -> None:
    rows = [
        {
            "id": uuid4(), "chat_id": chat_id, "seq": 100 + n, "role": "user",
            "status": "complete", "text": question, "created_at": datetime.now(UTC),
        }
        for n, question in enumerate(questions)
    ]  # fmt: skip
    async with db.engine.begin() as connection:
        await connection.execute(insert(db.models.message.__table__), rows)


async def use_the_index(db: Database[Any]) -> None:
    name = db.engine.url.database
    for setting in ("enable_seqscan", "enable_sort", "enable_hashjoin", "enable_mergejoin"):
        await done(db, f"ALTER DATABASE {name} SET {setting} = off")
    await db.engine.dispose()


async def test_pages_go_on_behind_the_last_hit(db: Database[Any], model: Meanings) -> None:
    chat = await talk(db, "wifi")
    await said(db, chat.id, ["wifi", "wifi", "wifi please", "holiday", "please", "otter wifi"])
    await db.embed_messages(model)
    every = await search_messages(db, "wifi", semantic=model, user_id="u")
    assert len(every) == 8

    paged = await search_messages(db, "wifi", semantic=model, user_id="u", limit=2)
    while page := await search_messages(
        db, "wifi", semantic=model, user_id="u", limit=2, after=paged[-1]
    ):
        paged += page

    assert paged == every


async def test_what_goes_or_changes_is_not_found_and_leaves_no_vector(
    db: Database[Any], model: Meanings
) -> None:
    chat = await talk(db, "wifi", "online")
    hidden = await talk(db, "wifi please")
    await talk(db, "network", user="gone")
    await db.embed_messages(model)
    message = db.models.message.__table__
    assert len(await texts(db, "wifi", model)) == 6

    async with db.engine.begin() as connection:
        mine = message.c.chat_id == chat.id
        changed = update(message).where(mine, message.c.text == "wifi").values(text="holiday")
        await connection.execute(changed)
    assert await texts(db, "wifi", model, user_id="u", limit=1) == ["online"]
    assert await db.embed_messages(model) == 1
    assert await texts(db, "vacation", model, limit=1) == ["holiday"]

    await chat.regenerate()
    assert await texts(db, "online", model, user_id="u", limit=1) != ["online"]
    assert (await texts(db, "online", model, superseded=True, limit=9)).count("online") == 1

    await erase_owner(db, user_id="gone")
    await delete_chat(db, hidden.id, soft=True)
    assert set(await texts(db, "wifi", model)) == {"holiday"}
    await restore_chat(db, hidden.id)
    assert (await texts(db, "wifi", model))[0] == "wifi please"
    for deleted in (hidden.id, chat.id):
        await delete_chat(db, deleted, soft=False)
    assert await done(db, f"SELECT 1 FROM {VECTORS}") == []


async def test_a_model_searches_by_meaning_what_its_owner_has_said(
    db: Database[Any], model: Meanings
) -> None:
    for user in ("u", "other"):
        await talk(db, f"Our wifi is that of {user}", user=user)
    await db.embed_messages(model)
    script = Script([call("search_chats", query="get online")], [say("Of u.")])
    tools = [search_tool(db, limit=1, semantic=model, user_id="u")]
    chat = await create_chat(db, script, user_id="u", tools=tools)

    reply = await chat.ask("How?")

    (row,) = await chat.tool_calls()
    assert [hit["text"] for hit in row.result] == ["Our wifi is that of u"]
    assert reply.usage.requests == 3, "two answers, and the vector of the query"


async def test_several_processes_embed_each_text_once(db: Database[Any], model: Meanings) -> None:
    chat = await talk(db, "first", "second")
    await said(db, chat.id, [f"wifi {n}" for n in range(100)])
    url = db.engine.url.render_as_string(hide_password=False)

    async with Database(url) as other:
        counts = await asyncio.gather(
            *(each.embed_messages(model, limit=60) for each in (db, other))
        )

    assert sum(counts) == 102
    assert sorted(model.sent) == sorted({"first", "second", *(f"wifi {n}" for n in range(100))})


async def test_what_failed_or_died_is_embedded_later_and_holds_up_nothing(
    db: Database[Any], model: Meanings
) -> None:
    await talk(db, "wifi", "online")
    model.failing = {"wifi"}
    with pytest.raises(ConnectionError):
        await db.embed_messages(model)
    await talk(db, "holiday", "leave")
    assert await db.embed_messages(model) == 2, "the others"

    model.failing = set()
    assert await db.embed_messages(model) == 0
    await done(db, f"UPDATE {VECTORS} SET claimed_until = now() - interval '1 second'")
    assert await db.embed_messages(model) == 2
    assert len(await texts(db, "wifi", model)) == 4


async def test_a_text_that_changes_while_it_is_embedded_is_embedded_as_it_is(
    db: Database[Any], model: Meanings
) -> None:
    await talk(db, "wifi", "online")
    model.waits_for = asyncio.Event()
    embedding = asyncio.create_task(db.embed_messages(model))
    await model.began.wait()
    await done(db, "UPDATE llm_messages SET text = 'holiday' WHERE text = 'wifi'")
    await done(  # as another process does, which has not ended
        db,
        f"INSERT INTO {VECTORS} (message_id, chat_id, claim, claimed_until) SELECT id, chat_id, "
        "gen_random_uuid(), now() + interval '1 minute' FROM llm_messages WHERE text = 'holiday'",
    )

    model.waits_for.set()

    assert await embedding == 1, "the vector of the old text is not that of the new one"
    await done(db, f"UPDATE {VECTORS} SET claimed_until = now() - interval '1 second'")
    assert await db.embed_messages(model) == 1
    assert await texts(db, "vacation", model, limit=1) == ["holiday"]
    assert model.sent.count("online") == 1


async def test_other_vectors_than_the_stored_ones_are_refused(
    db: Database[Any], model: Meanings
) -> None:
    await talk(db, "wifi")
    await db.create_semantic_search(model, dimensions=4)
    other, longer = Meanings("it's another"), TestEmbeddingModel("meanings", dimensions=5)
    for work in (
        db.create_semantic_search(other, dimensions=4),
        db.create_semantic_search(model, dimensions=5),
        db.embed_messages(other),
        search_messages(db, "wifi", semantic=other),
    ):
        with pytest.raises(
            ConfigurationError, match=r"test:meanings, with 4.*drop_semantic_search"
        ):
            await work
    for work in (db.embed_messages(longer), search_messages(db, "wifi", semantic=longer)):
        with pytest.raises(ConfigurationError, match="5 dimensions, and the table has those of 4"):
            await work
    with pytest.raises(ValueError, match="up to 2000"):
        await db.create_semantic_search(model, dimensions=3072)
    with pytest.raises(TypeError, match="takes Pydantic AI's Embedder"):
        await search_messages(db, "wifi", semantic=7)

    await db.drop_semantic_search()
    await db.create_semantic_search(other, dimensions=4)
    assert await db.embed_messages(other) == 2


async def test_where_it_cannot_be_the_error_names_the_fix(
    bare: Database[Any], model: Meanings, tmp_path: Any
) -> None:
    for work in (
        bare.create_semantic_search(model, dimensions=4),
        bare.embed_messages(model),
        search_messages(bare, "wifi", semantic=model),
    ):
        with pytest.raises(SearchUnavailable, match="CREATE EXTENSION vector"):
            await work
    await done(bare, "CREATE EXTENSION vector")
    with pytest.raises(SearchUnavailable, match=r"db\.create_semantic_search"):
        await search_messages(bare, "wifi", semantic=model)
    url = bare.engine.url.render_as_string(hide_password=False)
    for given, keys, said in (
        (url, Keys(Keys.new()), "encrypted"),
        (f"sqlite:///{tmp_path / 'chats.db'}", None, "needs PostgreSQL.*this is sqlite"),
    ):
        async with Database(given, encryption=keys) as db:
            for work in (
                db.create_semantic_search(model, dimensions=4),
                db.drop_semantic_search(),
                db.embed_messages(model),
                search_messages(db, "wifi", semantic=model),
            ):
                with pytest.raises(SearchUnavailable, match=said):
                    await work
    assert model.sent == [], "nothing was paid for"


async def test_the_schema_is_the_same_with_and_without_vectors(
    db: Database[Any], model: Meanings
) -> None:
    def compared(connection: Connection) -> list[Any]:
        options = {"include_object": include_object, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    async def changes() -> list[Any]:
        await db.check()
        async with db.engine.connect() as connection:
            return await connection.run_sync(compared)

    await db.create_search()
    with pytest.warns(SAWarning, match="Did not recognize type 'vector'"):
        assert await changes() == []
    await talk(db, "wifi")
    await db.embed_messages(model)
    await done(db, "TRUNCATE llm_messages CASCADE")
    assert await done(db, f"SELECT 1 FROM {VECTORS}") == []

    await db.drop_semantic_search()
    await db.drop_semantic_search()
    assert await changes() == []
    made = "SELECT proname FROM pg_proc WHERE proname LIKE 'chatrecord_search%'"
    assert (
        await done(db, f"{made} UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        == []
    )
