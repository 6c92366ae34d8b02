"""Feedback: one for each message and owner, whoever is faster."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.feedback import feedback_report, list_feedback
from chatrecord.errors import MessageNotFound
from chatrecord.feedback import Feedback
from chatrecord.ids import new_id
from chatrecord.runs.process import Backend
from chatrecord.store.feedback_store import FeedbackFilter
from chatrecord.testing.look import new_chat
from chatrecord.testing.script import Script, say

from .shared import AWKWARD


async def rated(backend: Backend, owner: str, *values: float) -> tuple[Chat, list[UUID]]:
    """A chat whose answers were given these values."""
    script = Script(*([say(f"answer {value}")] for value in values))
    chat = await new_chat(backend, script, user_id=owner)
    replies = [await chat.ask("q") for _ in values]
    for reply, value in zip(replies, values, strict=True):
        await chat.give_feedback(reply.message_id, value)
    return chat, [reply.message_id for reply in replies]


async def listed(backend: Backend, owner: str, **wanted: object) -> list[Feedback]:
    options = {"rating": None, "since": None, "until": None, "limit": 20, "before": None}
    return await list_feedback(backend, **{**options, **wanted}, scope={"user_id": owner})  # type: ignore[arg-type]


class AnswersAreRated:
    """Feedback."""

    async def test_what_somebody_thinks_of_an_answer_is_kept(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a")]))
        reply = await chat.ask("q")

        given = await chat.give_feedback(reply.message_id, 1, comment=AWKWARD)

        assert (given.run_id, given.owner, given.value) == (reply.run_id, "", 1.0)
        assert await chat.feedback() == [given]
        assert given.comment == AWKWARD

    async def test_a_later_one_replaces_the_earlier_one_of_the_same_person(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("a")]))
        reply = await chat.ask("q")
        first = await chat.give_feedback(reply.message_id, 1, owner="ann")
        await chat.give_feedback(reply.message_id, 1, owner="bob")

        second = await chat.give_feedback(reply.run_id, -1, comment="No.", owner="ann")

        assert (second.id, second.created_at) == (first.id, first.created_at)
        found = {it.owner: (it.value, it.comment) for it in await chat.feedback()}
        assert found == {"ann": (-1.0, "No."), "bob": (1.0, None)}
        assert await chat.withdraw_feedback(reply.message_id, owner="ann")
        assert not await chat.withdraw_feedback(reply.message_id, owner="ann")
        assert [it.owner for it in await chat.feedback()] == ["bob"]

    async def test_two_at_once_leave_one(self, backend: Backend, elsewhere: Backend) -> None:
        chat = await new_chat(backend, Script([say("a")]))
        reply = await chat.ask("q")
        twin = await chats.load_chat(elsewhere, Script(), chat.id, {}, {})

        await asyncio.gather(
            *(each.give_feedback(reply.message_id, n) for n in range(5) for each in (chat, twin))
        )

        (found,) = await chat.feedback()
        assert found.value in range(5)

    async def test_only_a_message_of_the_chat_is_rated(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a")]))
        other = await new_chat(backend, Script([say("b")]))
        theirs = await other.ask("q")
        reply = await chat.ask("q")

        for unknown in (theirs.message_id, theirs.run_id, new_id(), "nonsense"):
            with pytest.raises(MessageNotFound):
                await chat.give_feedback(unknown, 1)
        for value in (math.nan, math.inf, 10**400):
            with pytest.raises(ValueError, match="finite"):
                await chat.give_feedback(reply.message_id, value)
        with pytest.raises(TypeError, match="number"):
            await chat.give_feedback(reply.message_id, True)
        assert await chat.feedback() == await other.feedback() == []

    async def test_feedback_is_listed_page_by_page(self, backend: Backend) -> None:
        owner, stranger = str(new_id()), str(new_id())
        _, messages = await rated(backend, owner, 1, -1, 0.5, 0)
        await rated(backend, stranger, -1)

        first = await listed(backend, owner, limit=3)
        rest = await listed(backend, owner, limit=3, before=first[-1])

        assert [it.message_id for it in (*first, *rest)] == messages[::-1]
        negative = await listed(backend, owner, rating="negative")
        assert [it.value for it in negative] == [-1.0]
        assert {it.value for it in await listed(backend, owner, rating="positive")} == {1.0, 0.5}
        assert await listed(backend, owner, until=datetime.now(UTC) - timedelta(hours=1)) == []

    async def test_a_moment_without_a_time_zone_is_told(self, backend: Backend) -> None:
        for moment in ({"since": datetime(2026, 1, 1)}, {"until": datetime(2026, 1, 1)}):  # noqa: DTZ001
            with pytest.raises(ValueError, match="has no time zone"):
                await listed(backend, "u", **moment)
            with pytest.raises(ValueError, match="has no time zone"):
                await feedback_report(
                    backend, [], **{"since": None, "until": None} | moment, scope={}
                )

    async def test_feedback_is_added_up_in_groups(self, backend: Backend) -> None:
        owner = str(new_id())
        await rated(backend, owner, 1, 1, -1)
        await rated(backend, owner, -0.5, 0)
        scope = {"user_id": owner}

        (row,) = await feedback_report(
            backend, ["user_id", "model"], since=None, until=None, scope=scope
        )
        assert row.by["user_id"] == owner
        assert (row.count, row.positive, row.negative) == (5, 2, 2)
        assert row.mean == pytest.approx(0.1)
        (today,) = await feedback_report(backend, ["day"], since=None, until=None, scope=scope)
        assert today.by == {"day": datetime.now(UTC).date()}
        (all_of_them,) = await feedback_report(backend, [], since=None, until=None, scope=scope)
        assert all_of_them.count == 5
        with pytest.raises(ValueError, match="by= knows no"):
            await feedback_report(backend, ["mood"], since=None, until=None, scope=scope)
        later = datetime.now(UTC) + timedelta(hours=1)
        assert await feedback_report(backend, [], since=later, until=None, scope=scope) == []

    async def test_feedback_is_added_up_of_some_groups_only(self, backend: Backend) -> None:
        ann, bob, carl = (str(new_id()) for _ in range(3))
        await rated(backend, ann, 1, -1)
        await rated(backend, bob, -1)
        await rated(backend, carl, 1)
        everything = FeedbackFilter(None, None, None, {})

        for among, expected in (
            ([ann, carl], {ann: (1, 1), carl: (1, 0)}),
            ([ann.upper(), bob, None], {bob: (0, 1)}),
            ([], {}),
        ):
            rows = await backend.store.feedback_report(["user_id"], everything, among=among)
            found = {row.by["user_id"]: (row.positive, row.negative) for row in rows}
            found.pop(None, None)  # of other tests
            assert found == expected
