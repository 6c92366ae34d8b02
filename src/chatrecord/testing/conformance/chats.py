"""Chats: created, found, listed, deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chatrecord.chats import opening as chats
from chatrecord.errors import ChatNotFound
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Script, call, say

from .shared import UNKNOWN_ID, add


class ChatsAreKept:
    """Chats: created, found, listed, deleted."""

    async def test_a_chat_is_loaded_as_it_was_created(self, backend: Backend) -> None:
        chat = await new_chat(
            backend, Script(), metadata={"team": "HR", "n": [1, None]}, title="Q3"
        )

        loaded = await load(backend, chat, Script())

        assert loaded.record == chat.record

    async def test_a_chat_is_found_only_within_its_scope(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(), user_id="ann")

        for scope in ({"user_id": "bob"}, {"user_id": None}):
            with pytest.raises(ChatNotFound):
                await chats.load_chat(backend, Script(), chat.id, scope, {})
            with pytest.raises(ChatNotFound):
                await chats.delete_chat(backend, chat.id, scope)
        assert (
            await chats.load_chat(backend, Script(), chat.id, {"user_id": "ann"}, {})
        ).id == chat.id

    @pytest.mark.parametrize("chat_id", ["", "nonsense", "1; drop table llm_chats", UNKNOWN_ID])
    async def test_an_unknown_id_is_not_found(self, backend: Backend, chat_id: str) -> None:
        with pytest.raises(ChatNotFound):
            await chats.load_chat(backend, Script(), chat_id, {}, {})

    async def test_owners_are_compared_exactly(self, backend: Backend) -> None:
        owner = str(uuid4())
        await new_chat(backend, Script(), user_id=owner + "é")

        for other in (owner + "e", owner + "É", owner + "é "):
            assert (
                await chats.list_chats(backend, limit=9, before=None, scope={"user_id": other})
                == []
            )

    async def test_an_owner_of_another_type_is_refused(self, backend: Backend) -> None:
        """Some databases would take the number 0 for any text."""
        for stranger in (0, 0.0, True, b"Bob", ["Bob"]):
            with pytest.raises(TypeError, match="user_id= takes str"):
                backend.store.check_column("user_id", stranger)
        with pytest.raises(TypeError, match="no column 'usr_id'"):
            backend.store.check_column("usr_id", "Bob")

    async def test_chats_are_listed_by_their_last_activity_page_by_page(
        self, backend: Backend
    ) -> None:
        owner = {"user_id": str(uuid4())}
        made = [
            await new_chat(backend, Script([say("hi")]), user_id=owner["user_id"]) for _ in range(5)
        ]
        await made[1].ask("wake up")

        first = await chats.list_chats(backend, limit=3, before=None, scope=owner)
        second = await chats.list_chats(backend, limit=3, before=first[-1], scope=owner)

        order = [chat.id for chat in (*first, *second)]
        assert order == [made[place].id for place in (1, 4, 3, 2, 0)]

    async def test_a_deleted_chat_leaves_nothing_behind(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([call("add", a=1, b=2)], [say("3")]), tools=[add])
        await chat.ask("1 + 2?")

        await chats.delete_chat(backend, chat.id, {})

        assert await chat.messages() == []
        assert await chat.tool_calls() == []
        assert await chat.requests() == []
        assert (await chat.usage()).requests == 0
        with pytest.raises(ChatNotFound):
            await chats.delete_chat(backend, chat.id, {})

    async def test_asking_a_deleted_chat_says_so(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("hi")]))
        await chats.delete_chat(backend, chat.id, {})

        with pytest.raises(ChatNotFound):
            await chat.ask("anybody there?")
