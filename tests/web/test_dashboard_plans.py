"""However many chats there are, no page of the dashboard reads a whole table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from plans import add, analyze, counting, explained, scanned
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.chats import lookups
from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, say
from chatrecord.web.dashboard import dashboard, figures, found_chats, found_feedback
from chatrecord.web.dashboard.cursors import cursor_of

MAY_BE_READ = {"newest", "groups", "requests", "rows", "days", "both"}
"""What queries make of a bounded part of a table."""
MAY_BE_READ |= {"llm_usage_days", "llm_chunks", "llm_attachments"}
"""The sums of days, and tables that are empty here, where an index does not pay."""

CHATS = 3000


async def test_no_page_of_the_dashboard_reads_a_whole_table(
    own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As small a part of these chats as of 100,000, so that planners choose as they do for those.
    monkeypatch.setattr(lookups, "AMONG", 15)
    monkeypatch.setattr(found_chats, "PAGE", 5)
    monkeypatch.setattr(found_feedback, "PAGE", 5)
    monkeypatch.setattr(figures, "MOST_GROUPS", 3)  # so that ratings are of these groups only

    def allowed(request: Request) -> object:
        return {"user_id": "ann"} if "scoped" in request.query_params else True

    async with Database(own_url) as db:
        chat = await create_chat(
            db, Script([call("add", a=1, b=2)], [say("3")]), tools=[add], user_id="ann"
        )
        reply = await chat.ask("1 + 2?")
        await chat.give_feedback(reply.message_id, -1)
        await multiply(db, chat)
        await db.repair()
        await analyze(db)
        app = Starlette()
        app.mount("/d", dashboard(db, allowed=allowed))
        since = (datetime.now(UTC) - timedelta(days=1)).isoformat().replace("+00:00", "Z")
        paths = [
            f"api/usage?since={since}",
            *(
                f"api/usage?since={since}&by={by}&times=1"
                for by in ("day", "model", "user_id", "error_type", "kind")
            ),
            *(f"api/usage?since={since}&by={by}" for by in ("day", "model", "agent", "user_id")),
            f"api/feedback?since={since}&rating=negative",
            f"api/feedback?since={since}&before={cursor_of((datetime.now(UTC), new_id()))}",
            f"api/requests?since={since}&order=latency_ms",
            f"api/requests?since={since}&order=started_at&status=failed",
            "api/chats?",
            "api/chats?search=add&tool=add&status=complete&cost=0.1",
            f"api/chats/{chat.id}?",
            f"api/chats/{chat.id}/live/{reply.run_id}?",
            f"api/chats/{chat.id}/export?",
        ]

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/d/") as client:
            for path in [*paths, *(f"{path}&scoped" for path in paths)]:
                with counting(db) as counted:
                    response = await client.get(path)
                assert response.status_code == 200, response.text
                assert counted.statements, path
                for sql, parameters in counted.statements:
                    if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
                        continue
                    plan = await explained(db, sql, parameters)
                    read = set(scanned(db, _without_walks(plan))) - MAY_BE_READ
                    assert not read, f"{path}\n{sql}\n{plan}"


async def multiply(db: Database[Any], chat: Chat) -> None:
    """Many chats like this one, over four hundred days."""
    models, start = db.models, datetime.now(UTC)
    moments = [start - timedelta(days=n % 400, minutes=n) for n in range(1, CHATS)]
    async with db.engine.begin() as connection:
        chats = models.chat.__table__
        one = (await connection.execute(chats.select())).mappings().one()
        ids = [new_id() for _ in moments]
        rows = [
            {**one, "id": id_, "updated_at": at, "user_id": f"user-{n % 50}"}
            for n, (id_, at) in enumerate(zip(ids, moments, strict=True))
        ]
        await connection.execute(chats.insert(), rows)
        for model in (
            models.run,
            models.message,
            models.tool_call,
            models.request,
            models.feedback,
        ):
            table = model.__table__  # type: ignore[union-attr]
            one = (await connection.execute(table.select().limit(1))).mappings().one()
            when = "started_at" if "started_at" in table.c else "created_at"
            rows = [
                {**one, "id": new_id(), "chat_id": id_, "run_id": new_id(), when: at}
                for id_, at in zip(ids, moments, strict=True)
            ]
            if table is models.feedback.__table__:  # type: ignore[union-attr]
                rows = [{**row, "message_id": new_id()} for row in rows]
            known = [{name: row[name] for name in one} for row in rows]
            await connection.execute(table.insert(), known)


def _without_walks(plan: str) -> str:
    """Without the lines of MariaDB that walk an index in its order, and stop at a LIMIT."""
    walked = re.compile(r"\| index \| None \| ix_llm_chats_\w+_id ")
    return "\n".join(line for line in plan.splitlines() if not walked.search(line))
