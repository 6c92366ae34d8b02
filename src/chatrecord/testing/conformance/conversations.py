"""pydantic-ai's own store of conversations: what its in-memory one promises, ours does too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from dataclasses import replace
from typing import Any

import pytest
from pydantic_ai import Agent, DeferredToolRequests, Tool
from pydantic_ai.conversation import Conversation
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

from chatrecord.ids import new_id
from chatrecord.runs.process import Backend
from chatrecord.testing.look import dumped
from chatrecord.testing.script import Script, call, say

from .shared import AWKWARD, add, paying


def asked(text: str) -> ModelRequest:
    return ModelRequest(parts=[UserPromptPart(text)])


def said(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)])


async def hear(_ctx: object, events: AsyncIterable[object]) -> None:
    """A script only streams."""
    async for _ in events:
        pass


def new_conversation(*texts: str) -> Conversation:
    messages = [said(text) if place % 2 else asked(text) for place, text in enumerate(texts)]
    return Conversation(conversation_id=str(new_id()), messages=list(messages))


def words(conversation: Conversation | None) -> list[str]:
    assert conversation is not None
    return [str(part.content) for it in conversation.messages for part in it.parts
            if isinstance(part, UserPromptPart | TextPart)]  # fmt: skip


class ConversationsAreStored:
    """pydantic-ai's own store of conversations: what its in-memory one promises, ours does too."""

    @pytest.fixture(params=["theirs", "ours"])
    def conversations(self, request: pytest.FixtureRequest, backend: Backend) -> Any:
        """The in-memory store, by which the promises are checked, and ours."""
        theirs = pytest.importorskip("pydantic_ai.conversation_store")
        if request.param == "theirs":
            return theirs.InMemoryConversationStore()
        from chatrecord.pydantic_ai.conversations import PersistedConversations  # noqa: PLC0415 - 2.62 does not have it

        return PersistedConversations(backend, scope_column="user_id")

    @pytest.fixture
    def conflict(self) -> Any:
        """The error of a save that would lose somebody else's."""
        return pytest.importorskip("pydantic_ai.conversation_store").ConversationConflict

    async def test_a_conversation_is_read_as_it_was_saved(self, conversations: Any) -> None:
        script = Script([call("add", "c1", a=1, b=2)], [say("three")], [say("sure")])
        agent = Agent(script, tools=[add])
        result = await agent.run(f"1 + 2? {AWKWARD}", event_stream_handler=hear)
        await conversations.save(result)

        loaded = await conversations.load(result.conversation_id)
        assert dumped(loaded.messages) == dumped(result.all_messages())
        assert loaded.usage == result.conversation.usage
        again = await agent.run("Sure?", conversation=loaded, event_stream_handler=hear)
        await conversations.save(again)
        loaded = await conversations.load(result.conversation_id)
        assert dumped(loaded.messages) == dumped(again.all_messages())
        assert loaded.usage.requests == 3

    async def test_each_message_is_stored_once_under_one_id(self, conversations: Any) -> None:
        conversation = new_conversation("one", "two")
        first = await conversations.save(conversation)
        assert await conversations.save(conversation) == []
        conversation.messages.append(asked("three"))
        second = await conversations.save(conversation)

        entries = await conversations.load_entries(conversation.conversation_id)
        assert [it.id for it in entries] == [it.id for it in (*first, *second)]
        assert [it.parent_id for it in entries] == [None, *(it.id for it in entries[:-1])]

    async def test_what_somebody_else_has_saved_is_not_lost(
        self, conversations: Any, conflict: Any
    ) -> None:
        conversation = new_conversation("one")
        await conversations.save(conversation)
        mine = await conversations.load(conversation.conversation_id)
        theirs = await conversations.load(conversation.conversation_id)
        theirs.messages.append(said("theirs"))
        await conversations.save(theirs)

        mine.messages.append(said("mine"))
        with pytest.raises(conflict):
            await conversations.save(mine)
        with pytest.raises(conflict):
            await conversations.save(replace(conversation, revision=None))
        assert words(await conversations.load(mine.conversation_id)) == ["one", "theirs"]

    async def test_one_of_many_saves_at_once_is_made(
        self, conversations: Any, conflict: Any
    ) -> None:
        conversation = new_conversation("one")
        await conversations.save(conversation)
        writers = [await conversations.load(conversation.conversation_id) for _ in range(6)]
        for place, writer in enumerate(writers):
            writer.messages.append(said(f"writer {place}"))
        results = await asyncio.gather(
            *(conversations.save(writer) for writer in writers), return_exceptions=True
        )

        assert sum(isinstance(result, conflict) for result in results) == 5
        assert len(words(await conversations.load(conversation.conversation_id))) == 2

    async def test_a_conversation_belongs_to_its_scope(
        self, conversations: Any, conflict: Any
    ) -> None:
        conversation, scope = new_conversation("one"), str(new_id())
        await conversations.save(conversation, scope=scope)
        conversation_id = conversation.conversation_id

        assert await conversations.load(conversation_id, scope="another") is None
        assert words(await conversations.load(conversation_id, scope=scope)) == ["one"]
        with pytest.raises(conflict):
            await conversations.save(conversation, scope="another")
        await conversations.delete(conversation_id, scope="another")
        assert await conversations.load(conversation_id) is not None
        with pytest.raises(UserError):
            await conversations.branch(
                conversation_id, at=0, expected_revision=conversation.revision, scope="another"
            )

    async def test_conversations_are_listed_by_scope_newest_first(self, conversations: Any) -> None:
        scope, made = str(new_id()), [new_conversation(str(n)) for n in range(3)]
        for conversation in made:
            await conversations.save(conversation, scope=scope)
        made[0].messages.append(said("newest"))
        await conversations.save(made[0])

        listed = await conversations.list_conversations(scope=scope)
        expected = [made[n].conversation_id for n in (0, 2, 1)]
        assert [it.conversation_id for it in listed] == expected
        first = await conversations.list_conversations(scope=scope, limit=1)
        assert [it.conversation_id for it in first] == expected[:1]

    async def test_the_end_of_a_conversation_is_appended_to_all_of_it(
        self, conversations: Any
    ) -> None:
        conversation = new_conversation("one", "two", "three", "four")
        await conversations.save(conversation)
        end = await conversations.load(conversation.conversation_id, limit=2)
        assert words(end) == ["three", "four"]
        end.messages.append(asked("five"))
        await conversations.save(end)

        whole = await conversations.load(conversation.conversation_id)
        assert words(whole) == ["one", "two", "three", "four", "five"]
        assert words(await conversations.load(conversation.conversation_id, limit=0)) == []
        with pytest.raises(UserError):
            await conversations.load(conversation.conversation_id, limit=-1)

    async def test_a_conversation_branches_and_branches_back(self, conversations: Any) -> None:
        conversation = new_conversation("one", "two", "three")
        left = await conversations.save(conversation)
        conversation_id = conversation.conversation_id
        branched = await conversations.branch(
            conversation_id, at=1, expected_revision=conversation.revision
        )
        branched.messages.append(said("else"))
        await conversations.save(branched)
        assert words(await conversations.load(conversation_id)) == ["one", "else"]
        (record,) = [it for it in await conversations.list_conversations()
                     if it.conversation_id == conversation_id]  # fmt: skip
        assert record.branches == [left[-1].id]

        back = await conversations.branch(
            conversation_id, from_entry=left[-1].id, expected_revision=branched.revision
        )
        assert words(back) == ["one", "two", "three"]
        with pytest.raises(UserError):
            await conversations.branch(
                conversation_id, from_entry="unknown", expected_revision=back.revision
            )

    async def test_a_rewritten_history_leaves_the_old_one_as_a_branch(
        self, conversations: Any
    ) -> None:
        conversation = new_conversation("one", "two", "three")
        old = await conversations.save(conversation)
        rewritten = Conversation(
            conversation_id=conversation.conversation_id,
            messages=[conversation.messages[0], said("summary")],
            revision=conversation.revision,
        )
        await conversations.save(rewritten)

        entries = await conversations.load_entries(conversation.conversation_id)
        assert entries[0].id == old[0].id
        assert words(await conversations.load(conversation.conversation_id)) == ["one", "summary"]
        record = await conversations.read_record(conversation.conversation_id)
        assert record.branches == [old[-1].id]

    async def test_a_fork_shares_entries_and_outlives_its_source(
        self, conversations: Any, conflict: Any
    ) -> None:
        source = new_conversation("one", "two", "three")
        entries = await conversations.save(source)
        fork = await conversations.fork(source.conversation_id, at=2)
        fork.messages.append(asked("other"))
        await conversations.save(fork)

        shared = await conversations.load_entries(fork.conversation_id)
        assert [it.id for it in shared[:2]] == [it.id for it in entries[:2]]
        assert words(await conversations.load(source.conversation_id)) == ["one", "two", "three"]
        with pytest.raises(conflict):
            await conversations.fork(
                source.conversation_id, new_conversation_id=fork.conversation_id
            )
        await conversations.delete(source.conversation_id)
        assert words(await conversations.load(fork.conversation_id)) == ["one", "two", "other"]
        record = await conversations.read_record(fork.conversation_id)
        assert (record.forked_from, record.forked_at) == (source.conversation_id, entries[1].id)

    async def test_a_fork_of_what_is_gone_is_refused(
        self, conversations: Any, conflict: Any
    ) -> None:
        source = new_conversation("one")
        await conversations.save(source)
        record = await conversations.read_record(source.conversation_id)
        await conversations.delete(source.conversation_id)

        fork = replace(record, conversation_id=str(new_id()), forked_from=source.conversation_id)
        with pytest.raises(conflict):
            await conversations.write_record(fork, expected_revision=None)
        assert await conversations.read_record(fork.conversation_id) is None

    async def test_what_is_deleted_is_gone(self, conversations: Any, conflict: Any) -> None:
        conversation = new_conversation("one")
        (entry,) = await conversations.save(conversation)
        await conversations.delete(conversation.conversation_id)

        assert await conversations.load(conversation.conversation_id) is None
        with pytest.raises(LookupError):
            await conversations.read_entry(entry.id)
        with pytest.raises(conflict):
            await conversations.delete_record(
                conversation.conversation_id, expected_revision=conversation.revision
            )
        await conversations.save(replace(conversation, revision=None, new_message_index=None))
        with pytest.raises(conflict):
            await conversations.save(conversation)
        await conversations.delete("never there")

    async def test_an_entry_is_read_by_its_id(self, conversations: Any) -> None:
        first, second = await conversations.save(new_conversation("one", "two"))
        assert await conversations.read_entry(first.id) == first
        assert await conversations.read_entry(second.id) == second

    async def test_what_a_paused_run_waits_for_is_restored(self, conversations: Any) -> None:
        tool = Tool(paying([]), requires_approval=True)
        script = Script([call("pay", "c1", n=5)])
        agent = Agent(script, tools=[tool], output_type=[str, DeferredToolRequests])
        result = await agent.run("Pay 5", event_stream_handler=hear)
        await conversations.save(result)

        loaded = await conversations.load(result.conversation_id)
        assert loaded.deferred_tool_requests is not None
        assert [it.tool_call_id for it in loaded.deferred_tool_requests.approvals] == ["c1"]

    async def test_what_was_saved_cannot_be_changed_from_outside(self, conversations: Any) -> None:
        conversation = new_conversation("one")
        await conversations.save(conversation)
        loaded = await conversations.load(conversation.conversation_id)
        loaded.messages[0].parts = []
        conversation.messages[0].parts = []

        assert words(await conversations.load(conversation.conversation_id)) == ["one"]
