"""What was said is found: by whom it may be found, in what order, and with what around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from chatrecord.chats import opening as chats
from chatrecord.chats.retention import purge
from chatrecord.chats.search_hits import SearchHit
from chatrecord.chats.searching import search_messages
from chatrecord.errors import ChatRecordError, SearchUnavailable
from chatrecord.pydantic_ai import search_tool
from chatrecord.runs.process import Backend
from chatrecord.testing.look import new_chat, until
from chatrecord.testing.script import Script, call, fail, say
from chatrecord.transfer.chats import export_chat, import_chat

from .shared import AWKWARD, add

WANTED = {
    "wifi": [1],
    "WIFI Password": [1],
    "password": [1, 2],
    "password lobby": [2],
    '"the password"': [2],
    '"password the"': [],
    "passw*": [1, 2],
    "passw": [],
    "password -lobby": [1],
    "-password": [],
    "hosts": [2],
    "/etc/hosts": [2],
    "jane example": [1],
    "is it": [1],
    "密码": [2],
    "it 密码": [],
    "密码 lobby": [2],
    "password -密码": [1],
    "nowhere": [],
}
"""What is searched for, and the numbers of the messages that have it."""

ANYTHING = (
    "", "  ", "\"'%_", "*", "-", '"', '"unclosed', "AND OR NOT NEAR(", "a:* | !b & (c <-> d)",
    "+x -y ~z >a <b @c", "text:word", "\\", "\x00", "\ud800", AWKWARD, "無", "x" * 255,
    "{a} ^b 'c' \"d\" --", "\U0001f680", "%s %(x)s :x ?", "- -", "-*", "or", "not", "near",
)  # fmt: skip
"""Texts that mean something to one database or another, or nothing to any."""


class WhatWasSaidIsFound:
    """What was said is found: by whom it may be found, in what order, and with what around it."""

    @pytest.fixture(autouse=True)
    async def _searchable(self, backend: Backend) -> None:
        try:
            await found(backend, "anything", str(uuid4()))
        except SearchUnavailable:
            await backend.store.create_search()

    async def test_a_message_with_all_words_is_found(self, backend: Backend) -> None:
        owner = str(uuid4())
        answer = "The password (see /etc/hosts) is in the <b>lobby</b>: 无线网络密码."
        chat = await new_chat(backend, Script([say(answer)]), user_id=owner)
        await chat.ask("Is it the WiFi password of jane_doe@example.com?")

        for query, seqs in WANTED.items():
            hits = await found(backend, query, owner)
            assert sorted(hit.seq or 0 for hit in hits) == seqs, query
            assert {hit.chat_id for hit in hits} <= {chat.id}

    @pytest.mark.parametrize(
        "before", ["the cat " * 300, " ".join(f"w{number}" for number in range(17_000))]
    )
    async def test_a_phrase_is_found_at_the_end_of_a_long_text(
        self, backend: Backend, before: str
    ) -> None:
        owner = str(uuid4())
        answer = f"{before} the purple otter sleeps"
        chat = await new_chat(backend, Script([say(answer)]), user_id=owner)
        await chat.ask("Which animal?")

        async def is_found(query: str) -> bool:
            return bool(await found(backend, query, owner))

        # MariaDB misses words for a moment while it writes those of a long text to its index.
        for query in ('"the purple otter"', "THE/purple/ott*", 'otter -"otter purple"'):
            await until(partial(is_found, query))
        assert not await is_found('"otter purple"')
        assert not await is_found('otter -"purple otter"')

    async def test_any_text_is_a_query(self, backend: Backend) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script([say("Nothing of that.")]), user_id=owner)
        await chat.ask("Well?")

        for query in ANYTHING:
            assert await found(backend, query, owner) == [], query

    async def test_a_text_is_found_by_its_own_words_whatever_is_in_it(
        self, backend: Backend
    ) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script([say(AWKWARD)]), user_id=owner)
        await chat.ask("Well?")

        (hit,) = await found(backend, "astronaut lone", owner)

        assert [text for text, is_match in hit.snippet.parts if is_match] == ["lone", "astronaut"]

    async def test_what_is_no_query_is_refused(self, backend: Backend) -> None:
        with pytest.raises(ValueError, match="at most 255"):
            await found(backend, "x" * 256, "u")
        with pytest.raises(TypeError, match="takes a text"):
            await found(backend, None, "u")  # type: ignore[arg-type]

    async def test_titles_are_found_before_messages(self, backend: Backend) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script([say("Yes")]), user_id=owner, title="Parking places")
        await chat.ask("Is there parking?")

        first, second = await found(backend, "parking", owner)

        assert (first.role, first.message_id, first.seq) == ("title", None, None)
        assert first.title == second.title == "Parking places"
        assert (second.role, second.seq) == ("user", 1)
        assert first.rank > second.rank > 0
        assert second.created_at == (await chat.messages())[0].created_at

    async def test_what_another_owner_has_said_changes_nothing(self, backend: Backend) -> None:
        """Neither hits nor ranks: what is rare for all owners together may not show."""
        owner, other = str(uuid4()), str(uuid4())
        chat = await new_chat(backend, Script([say("Badgers dig.")]), user_id=owner, title="Zoo")
        await chat.ask("Do badgers dig setts?")
        before = await found(backend, "badgers", owner)

        for n in range(5):
            theirs = await new_chat(
                backend, Script([say("badgers badgers")]), user_id=other, title=f"badgers {n}"
            )
            await theirs.ask("badgers?")

        assert await found(backend, "badgers", owner) == before
        assert len(before) == 2
        assert await found(backend, "badgers", owner.upper()) == []
        assert await found(backend, "setts", other) == []

    async def test_hits_are_ranked_and_paged(self, backend: Backend) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script(*([say("Noted.")] for _ in range(7))), user_id=owner)
        for n in range(7):
            await chat.ask("apple " * (n % 3) + "pear " + "filler " * n)

        all_at_once = await found(backend, "pear", owner)
        paged: list[SearchHit] = []
        after = None
        while page := await found(backend, "pear", owner, limit=3, after=after):
            paged += page
            after = page[-1]

        assert paged == all_at_once
        assert len(paged) == 7
        assert [hit.rank for hit in paged] == sorted((hit.rank for hit in paged), reverse=True)
        best, *_ = await found(backend, "apple pear", owner)
        assert best.snippet.text.startswith("apple apple pear")

    async def test_what_was_replaced_is_found_on_demand(self, backend: Backend) -> None:
        owner = str(uuid4())
        script = Script([say("An otter.")], [say("A ferret.")])
        chat = await new_chat(backend, script, user_id=owner)
        await chat.ask("Which animal?")
        await chat.regenerate()

        assert await found(backend, "otter", owner) == []
        assert [hit.role for hit in await found(backend, "ferret", owner)] == ["assistant"]
        (replaced,) = await found(backend, "otter", owner, superseded=True)
        assert replaced.role == "assistant"

    async def test_tool_results_and_reasoning_are_not_searched(self, backend: Backend) -> None:
        owner = str(uuid4())
        script = Script([call("add", a=1234, b=4321)], [say("Done.")])
        chat = await new_chat(backend, script, user_id=owner, tools=[add])
        await chat.ask("Please")

        assert await found(backend, "5555", owner) == []
        assert await found(backend, "1234", owner) == []

    async def test_what_changes_is_found_as_it_is_then(self, backend: Backend) -> None:
        owner = str(uuid4())
        script = Script([say("First heron.")], [say("Second egret.")])
        chat = await new_chat(backend, script, user_id=owner, title="Old stork")
        await chat.ask("A heron?")

        await chat.rename("New crane")
        await chat.edit((await chat.messages())[0].id, "An egret?")

        assert await roles(backend, "stork", owner) == []
        assert await roles(backend, "crane", owner) == ["title"]
        assert await roles(backend, "heron", owner) == []
        assert await roles(backend, "egret", owner) == ["assistant", "user"]

        await chat.rename(None)
        assert await roles(backend, "crane", owner) == []

    async def test_what_is_deleted_is_not_found(self, backend: Backend) -> None:
        owner = str(uuid4())
        for _ in range(3):
            chat = await new_chat(backend, Script([say("A puffin")]), user_id=owner, title="Puffin")
            await chat.ask("Puffin?")
        await chats.delete_chat(backend, chat.id, {"user_id": owner})
        assert len(await found(backend, "puffin", owner)) == 6

        long_ago = datetime.now(UTC) + timedelta(seconds=1)
        await purge(backend, long_ago, "delete", {"user_id": owner})

        assert await found(backend, "puffin", owner) == []

    async def test_an_imported_chat_is_found(self, backend: Backend) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script([say("A grebe")]), user_id=owner, title="Grebes")
        await chat.ask("Grebe?")
        lines = [line async for line in export_chat(backend, chat.id, {})]
        await chats.delete_chat(backend, chat.id, {})

        await import_chat(backend, lines, new_ids=True, columns={"user_id": owner})

        assert sorted(await roles(backend, "grebe*", owner)) == ["assistant", "title", "user"]

    async def test_a_partial_answer_is_found(self, backend: Backend) -> None:
        owner = str(uuid4())
        script = Script([say("A kestrel hovers"), fail(RuntimeError("gone"))])
        chat = await new_chat(backend, script, user_id=owner, retries=0)
        with pytest.raises(ChatRecordError):
            await chat.ask("Which bird?")

        assert await roles(backend, "kestrel", owner) == ["assistant"]

    async def test_a_snippet_shows_where_the_words_are(self, backend: Backend) -> None:
        owner = str(uuid4())
        text = "word " * 300 + "Here is the\n\n  ÉCLAIR\trecipe. " + "more " * 300
        chat = await new_chat(backend, Script([say(text)]), user_id=owner)
        await chat.ask("Well?")

        (hit,) = await found(backend, "éclair recipe", owner)

        assert "Here is the ÉCLAIR recipe. more" in hit.snippet.text
        assert [text for text, is_match in hit.snippet.parts if is_match] == ["ÉCLAIR", "recipe"]
        assert hit.snippet.text.startswith("… ")
        assert hit.snippet.text.endswith(" …")
        assert len(hit.snippet.text) <= 204

    async def test_a_model_searches_the_chats_of_its_owner_only(self, backend: Backend) -> None:
        owner, other = str(uuid4()), str(uuid4())
        for user in (owner, other):
            chat = await new_chat(backend, Script([say(f"Gate code {user}")]), user_id=user)
            await chat.ask("What is the gate code?")
        script = Script([call("search_chats", query="gate code")], [say("It is known.")])
        tools = [search_tool(backend, user_id=owner)]
        chat = await new_chat(backend, script, user_id=owner, tools=tools)

        await chat.ask("Find the gate code that we spoke of")

        (row,) = await chat.tool_calls()
        texts = {hit["text"] for hit in row.result}  # type: ignore[union-attr, index, call-overload]
        assert texts == {f"Gate code {owner}", "What is the gate code?"}

    @pytest.mark.parametrize("scope", [{}, {"user_id": None}, {"nobody": "x"}])
    async def test_a_tool_without_an_owner_is_refused(
        self, backend: Backend, scope: dict[str, Any]
    ) -> None:
        with pytest.raises(TypeError):
            search_tool(backend, **scope)


async def found(
    backend: Backend,
    query: str,
    owner: str,
    *,
    limit: int = 20,
    after: SearchHit | None = None,
    superseded: bool = False,
) -> list[SearchHit]:
    return await search_messages(
        backend,
        query,
        limit=limit,
        after=after,
        superseded=superseded,
        scope={"user_id": owner},
    )


async def roles(backend: Backend, query: str, owner: str) -> list[str]:
    return sorted(hit.role for hit in await found(backend, query, owner))
