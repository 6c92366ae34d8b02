"""Changes: what is said of a chat is changed at once, in its scope, and never by accident."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
from pydantic_ai import Agent

from chatrecord.chats import opening as chats
from chatrecord.errors import AgentMismatch, ChatNotFound, ConfigurationError
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Script, meet, say

from .shared import AWKWARD, add


class ChatsAreChanged:
    """Changes: what is said of a chat is changed at once, in its scope, and never by accident."""

    async def test_a_chat_is_changed_for_good(self, backend: Backend, elsewhere: Backend) -> None:
        """Whoever loads it next has all of it, and its place in the list stays."""
        owner, to = str(uuid4()), str(uuid4())
        chat = await new_chat(backend, Script(), user_id=owner, title="Old", metadata={"n": 1})
        before = chat.record
        metadata = {"team": AWKWARD, "tags": ["a", {"b": None}]}

        await chat.update(title=" New ", metadata=metadata, instructions=AWKWARD, user_id=to)

        loaded = (await load(elsewhere, chat, Script())).record
        assert loaded == chat.record
        assert (loaded.title, loaded.metadata, loaded.instructions) == ("New", metadata, AWKWARD)
        assert loaded.columns["user_id"] == to
        assert loaded.updated_at == before.updated_at

    async def test_what_is_left_out_of_a_change_stays(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(), title="Kept", instructions="Kept", user_id="ann")

        await chat.update(metadata={"team": "HR"})
        await chat.update()

        kept = (await load(backend, chat, Script())).record
        assert (kept.title, kept.instructions, kept.metadata) == ("Kept", "Kept", {"team": "HR"})
        assert kept.columns["user_id"] == "ann"

        await chat.update(title=None, instructions=None, metadata={})

        gone = (await load(backend, chat, Script())).record
        assert (gone.title, gone.instructions, gone.metadata) == (None, None, {})

    async def test_a_chat_is_changed_only_within_the_scope_it_was_loaded_with(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Script(), title="Ann's", user_id="ann")
        of_ann = await chats.load_chat(backend, Script(), chat.id, {"user_id": "ann"}, {})
        again = await chats.load_chat(backend, Script(), chat.id, {"user_id": "ann"}, {})

        await of_ann.update(user_id="bob")
        await of_ann.update(title="Bob's")  # the one who hands it over still has it in hand

        refused: list[dict[str, Any]] = [{"title": "Mine"}, {"metadata": {}}, {"user_id": "ann"}]
        for change in refused:
            with pytest.raises(ChatNotFound, match="no longer within the scope"):
                await again.update(**change)
        record = (await load(backend, chat, Script())).record
        assert (record.title, record.columns["user_id"]) == ("Bob's", "bob")

    async def test_a_deleted_chat_is_not_changed(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        await chats.delete_chat(backend, chat.id, {})

        with pytest.raises(ChatNotFound):
            await chat.update(metadata={"team": "HR"})

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"title": " "}, ValueError, "title= is blank"),
            ({"metadata": {"n": float("nan")}}, ValueError, "which JSON has not"),
            ({"metadata": {"n": {1}}}, TypeError, r"metadata\['n'\] is set"),
            ({"metadata": "HR"}, TypeError, "metadata= takes a mapping"),
            ({"instructions": 7}, TypeError, "instructions= takes text"),
            ({"user_id": 7}, TypeError, "user_id= takes str, not int"),
            ({"user_di": "x"}, TypeError, "A chat has no column 'user_di'"),
            ({"id": str(uuid4())}, TypeError, "A chat has no column 'id'"),
            ({"llm": "nobody:none"}, ConfigurationError, "nobody"),
        ],
    )
    async def test_a_change_with_something_wrong_changes_nothing(
        self, backend: Backend, change: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        chat = await new_chat(backend, Script(), title="Kept", user_id="ann")
        before = chat.record

        with pytest.raises(error, match=message):
            await chat.update(**{"title": "New", "metadata": {"new": True}, **change})

        assert chat.record == before == (await load(backend, chat, Script())).record

    async def test_metadata_is_read_only_wherever_it_is_read(self, backend: Backend) -> None:
        """A change that nobody stores is an error, and not a loss."""
        owner = str(uuid4())
        metadata = {"team": "HR", "tags": ["a"], "deep": [{"b": {}}]}
        chat = await new_chat(backend, Script(), metadata=metadata, user_id=owner)
        await chat.update(metadata={**chat.metadata, "more": {}})
        scope = {"user_id": owner}
        (listed,) = await chats.list_chats(backend, limit=9, before=None, scope=scope)
        loaded = await load(backend, chat, Script())

        for read in (chat.metadata, chat.record.metadata, loaded.metadata, listed.metadata):
            read_as_any: Any = read
            with pytest.raises(TypeError, match=r"chat\.update"):
                read_as_any["team"] = "IT"
            with pytest.raises(TypeError, match=r"chat\.update"):
                read_as_any["tags"].append("b")
            with pytest.raises(TypeError, match=r"chat\.update"):
                read_as_any["deep"][0]["b"]["c"] = 1
            assert read == {**metadata, "more": {}}
        with pytest.raises(TypeError, match=r"chat\.update"):
            listed.columns["user_id"] = "bob"  # type: ignore[index]

        edited: Any = deepcopy(chat.metadata)
        edited["deep"][0]["b"]["c"] = 1
        await chat.update(metadata=edited)
        assert (await load(backend, chat, Script())).metadata == edited

    async def test_the_model_of_a_chat_is_changed_for_good(self, backend: Backend) -> None:
        """The next run here uses it, with the tools of the chat."""
        chat = await new_chat(backend, Script(), tools=[add], instructions="Add.")
        before = chat.record

        await chat.update(llm="test")  # it calls each tool once
        reply = await chat.ask("1 + 2?")

        assert [call.name for call in reply.tool_calls] == ["add"]
        loaded = (await load(backend, chat, "test")).record
        assert (before.model, loaded.model) == ("script", "test")
        assert loaded.instructions == "Add."

    async def test_the_agent_of_a_chat_is_changed_for_good(self, backend: Backend) -> None:
        first = Agent(Script([say("one")]), name="travel")
        second = Agent(Script([say("two")]), name="legal", instructions="Cite.")
        chat = await new_chat(backend, first)

        await chat.update(llm=second)

        assert (await chat.ask("Now?")).text == "two"
        assert chat.record.agent == "legal"
        with pytest.raises(AgentMismatch, match=r"chat\.update"):
            await load(backend, chat, Agent(Script(), name="travel"))
        await load(backend, chat, Agent(Script(), name="legal"))

        await chat.update(llm=Script([say("three")]), instructions="Be brief.")

        assert (await chat.ask("And now?")).text == "three"
        assert (await load(backend, chat, Script())).record.agent is None

    async def test_changed_instructions_are_those_of_the_next_run(self, backend: Backend) -> None:
        script = Script([say("one")], [say("two")], [say("three")])
        chat = await new_chat(backend, script, instructions="Be long.")
        other = await load(backend, chat, script)

        sent = []
        for each in (chat, chat, other):
            reply = await each.ask("?")
            run = await backend.store.get_run(chat.id, reply.run_id)
            assert run is not None
            sent.append(run.instructions)
            if each is chat:
                await chat.update(instructions="Be brief.")

        assert sent == ["Be long.", "Be brief.", "Be long."]  # the other was loaded before
        assert (await load(backend, chat, script)).record.instructions == "Be brief."

    async def test_a_run_goes_on_with_what_it_began_with(self, backend: Backend) -> None:
        async def change() -> None:
            await chat.update(title="Meanwhile", instructions="Other.", llm=Script([say("new")]))

        chat = await new_chat(backend, Script([say("old "), meet(change), say("answer")]))

        assert (await chat.ask("?")).text == "old answer"
        assert chat.title == "Meanwhile"
        assert (await chat.ask("?")).text == "new"
