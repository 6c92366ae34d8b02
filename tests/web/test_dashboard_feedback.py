"""What people think of answers, in the dashboard: in its figures, and as a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.sqlalchemy import Database, Models, create_chat
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, say
from chatrecord.web.dashboard import figures, found_feedback

from .mounting import mounted

WITHOUT_FEEDBACK = Models(
    **{name: model for name, model in vars(READY_MADE).items() if name != "feedback"}
)


async def rated(db: Database[Any], user: str, *values: float) -> Chat:
    """A chat whose answers somebody has rated."""
    script = Script(*([say("Yes.")] for _ in values))
    chat = await create_chat(db, script, user_id=user, title=f"Chat of {user}")
    for value in values:
        reply = await chat.ask("Well?")
        comment = f"{user} says {value}" if value < 0 else None
        await chat.give_feedback(reply.message_id, value, comment=comment)
    return chat


async def got(client: httpx.AsyncClient, path: str, **asked: object) -> Any:
    response = await client.get(f"api/{path}", params={k: str(v) for k, v in asked.items()})
    assert response.status_code == 200, response.text
    return response.json()


async def test_each_group_of_figures_has_its_ratings(db: Database) -> None:
    await rated(db, "ann", 1, 1, -1, 0)
    await rated(db, "bob", -1)
    today = datetime.now(UTC).date().isoformat()
    whole = {"count": 5, "positive": 2, "negative": 2}
    async with mounted(db) as client:
        for by, group in (("day", today), ("model", "script"), ("agent", None)):
            found = await got(client, "usage", by=by)
            assert found["ratings"] == [{"by": [group], **whole}]
            assert [row["by"] for row in found["rows"]] == [[group]]
        by_user = (await got(client, "usage", by="user_id"))["ratings"]
        assert [(*row["by"], row["positive"], row["negative"]) for row in by_user] == [
            ("ann", 2, 1),
            ("bob", 0, 1),
        ]
        assert (await got(client, "usage"))["ratings"] == [{"by": [], **whole}]
        for asked in ({"by": "status"}, {"by": "kind"}, {"by": "day", "times": 1}):
            assert (await got(client, "usage", **asked))["ratings"] is None


async def test_ratings_are_those_given_in_the_time_and_within_the_scope(db: Database) -> None:
    chat = await rated(db, "ann", 1, -1)
    await rated(db, "bob", -1)
    (early, _) = await chat.feedback()
    await chat.withdraw_feedback(early.message_id)
    long_ago = early.created_at - timedelta(days=9)
    await db.store.put_feedback(replace(early, created_at=long_ago))
    since = (long_ago - timedelta(days=1)).isoformat()
    until = (long_ago + timedelta(days=1)).isoformat()

    async with mounted(db, allowed=lambda _request: {"user_id": "ann"}) as client:

        async def counted(**asked: object) -> list[tuple[int, int]]:
            rows = (await got(client, "usage", by="user_id", **asked))["ratings"]
            return [(row["positive"], row["negative"]) for row in rows]

        assert await counted(since=since) == [(1, 1)]
        assert await counted(since=since, until=until) == [(1, 0)]
        assert await counted(since=until) == [(0, 1)]
        assert (await got(client, "usage", **{"column.user_id": "bob"}))["ratings"] is None
        any_rating = (await got(client, "feedback", since=since, until=until))["feedback"]
        assert [it["id"] for it in any_rating] == [str(early.id)]
        negative = (await got(client, "feedback", since=since, rating="negative"))["feedback"]
        assert [it["comment"] for it in negative] == ["ann says -1"]
        assert (await got(client, "feedback", **{"column.user_id": "bob"}))["feedback"] == []


async def test_groups_that_are_not_shown_have_no_ratings(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many people rate, the ratings of the shown ones only are read."""
    monkeypatch.setattr(figures, "MOST_GROUPS", 1)
    await rated(db, "ann", 1)
    await rated(db, "bob", -1, -1)
    async with mounted(db) as client:
        found = await got(client, "usage", by="user_id")
        assert [row["by"] for row in found["rows"]] == [["bob"]]
        assert [(row["by"], row["negative"]) for row in found["ratings"]] == [(["bob"], 2)]


async def test_negative_feedback_comes_in_pages_with_its_chats(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_feedback, "PAGE", 2)
    ann = await rated(db, "ann", -1, 1, -2)
    bob = await rated(db, "bob", -3)

    def names(_users: Any) -> dict[str, str]:
        return {"ann": "Ann Ashe"}

    async with mounted(db, names={"user_id": names}) as client:
        first = await got(client, "feedback", rating="negative")
        second = await got(client, "feedback", rating="negative", before=first["next"])

        seen = [it["comment"] for it in first["feedback"] + second["feedback"]]
        assert seen == ["bob says -3", "ann says -2", "ann says -1"]
        assert second["next"] is None
        assert first["chats"][str(bob.id)]["title"] == "Chat of bob"
        assert second["chats"] == {
            str(ann.id): {"title": "Chat of ann", "columns": {"user_id": "ann"}}
        }
        assert second["names"] == {"user_id": {"ann": "Ann Ashe"}}
        mine = await got(client, "feedback", rating="positive", **{"column.user_id": "ann"})
        assert [it["value"] for it in mine["feedback"]] == [1.0]
        for asked in ({"rating": "awful"}, {"before": "x"}, {"column.age": "1"}):
            assert (await client.get("api/feedback", params=asked)).status_code == 422


async def test_feedback_on_an_answer_that_no_run_has_written_is_shown_with_it(
    db: Database,
) -> None:
    """Such as an imported one."""
    chat = await rated(db, "ann", -1)
    answer = (await chat.messages())[-1]
    changes = Changes(chat.id)
    changes.add(replace(answer, id=new_id(), run_id=None, seq=answer.seq + 1))
    await db.store.write(changes)
    imported = (await chat.messages())[-1]
    await chat.give_feedback(imported.id, 1)
    async with mounted(db) as client:
        trace = await got(client, f"chats/{chat.id}")
    shown = {it["message_id"]: it["value"] for it in trace["feedback"]}
    assert shown == {str(answer.id): -1, str(imported.id): 1}


async def test_a_database_without_a_table_for_feedback_shows_none(tmp_path: Any) -> None:
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}", models=WITHOUT_FEEDBACK) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Yes.")]), user_id="ann")
        await chat.ask("Well?")
        async with mounted(db) as client:
            assert (await got(client, "about"))["feedback"] is False
            found = await got(client, "usage", by="model")
            assert (len(found["rows"]), found["ratings"]) == (1, None)
            assert (await got(client, "feedback"))["feedback"] == []
    async with Database(f"sqlite:///{tmp_path / 'whole.db'}") as db:
        await db.create_tables()
        async with mounted(db) as client:
            assert (await got(client, "about"))["feedback"] is True


async def test_figures_are_grouped_by_what_requests_were_for(db: Database) -> None:
    chat = await create_chat(db, Script([say("Yes.")]), user_id="ann")
    await chat.ask("Well?")
    (answer,) = await chat.requests()
    changes = Changes(chat.id)
    for kind in ("title", "title", "reindexing"):
        changes.add(replace(answer, id=new_id(), kind=kind))
    await db.store.write(changes)
    async with mounted(db) as client:
        rows = (await got(client, "usage", by="kind"))["rows"]
        counted = {row["by"][0]: row["requests"] for row in rows}
        assert counted == {None: 1, "title": 2, "reindexing": 1}
