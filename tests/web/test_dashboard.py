"""The dashboard answers those who are allowed, within their scope, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from chatrecord.sqlalchemy import Database, Keys, create_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import add_requests
from chatrecord.web.dashboard import dashboard
from chatrecord.web.dashboard.assets import FOLDER
from dashboard_sample import fill_sample

from .mounting import everything, mounted, visiting


async def test_every_response_lets_the_page_load_nothing_from_elsewhere(db: Database) -> None:
    async with mounted(db) as client:
        for path in ("", "assets/page.js", "api/about", "api/usage", "api/chats/none", "assets/x"):
            response = await client.get(path)
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'self';")
            assert "unsafe" not in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
        assert (await client.get("api/about")).headers["cache-control"] == "no-store"


def test_the_files_of_the_page_name_no_other_server_and_have_no_style_or_script_inside() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//\w+\.\w", text), path
    page = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page)
    for name in re.findall(r'(?:src|href)="(assets/[^"]+)"', page):
        assert (FOLDER.parent / name).is_file()
    scripts = {path.name: path.read_text() for path in FOLDER.glob("*.js")}
    for text in scripts.values():
        assert set(re.findall(r'from "\./([^"]+)"', text)) <= scripts.keys()
        assert not re.search(r"innerHTML|insertAdjacentHTML|\beval\(", text)


async def test_an_unchanged_file_is_not_sent_again(db: Database) -> None:
    async with mounted(db) as client:
        first = await client.get("assets/base.css")
        assert first.headers["content-type"] == "text/css; charset=utf-8"
        again = await client.get(
            "assets/base.css", headers={"if-none-match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_who_is_not_allowed_is_told_of_nothing(db: Database) -> None:
    answers: list[object] = [False, None, {}, {"user_id": None}]
    for answer in answers:

        async def allowed(_request: Request, answer: object = answer) -> object:
            return answer

        async with mounted(db, allowed=allowed) as client:
            for path in (
                "",
                "assets/page.js",
                "api/about",
                "api/usage",
                "api/chats",
                "api/requests",
            ):
                response = await client.get(path)
                assert response.status_code == 404, (answer, path)


async def test_only_reading_is_possible(db: Database) -> None:
    async with mounted(db) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await client.request(method, "api/chats")).status_code == 405


def test_without_a_rule_there_is_no_dashboard(db: Database) -> None:
    with pytest.raises(TypeError, match="needs allowed="):
        dashboard(db)
    with pytest.raises(TypeError, match="no columns"):
        dashboard(db, allowed=everything, names={"department": dict})


async def test_a_scope_limits_everything_that_is_shown(db: Database) -> None:
    mine = await create_chat(db, Script([say("Yes.")]), user_id="ann", title="Mine")
    await mine.ask("Well?")
    other = await create_chat(db, Script([say("No.")]), user_id="bob", title="Other")
    reply = await other.ask("Well?")

    def allowed(_request: Request) -> dict[str, str]:
        return {"user_id": "ann"}

    async with mounted(db, allowed=allowed) as client:

        async def got(path: str) -> Any:
            response = await client.get(path)
            assert response.status_code == 200, response.text
            return response.json()

        assert [chat["title"] for chat in (await got("api/chats"))["chats"]] == ["Mine"]
        assert (await got("api/chats?column.user_id=bob"))["chats"] == []
        assert (await got("api/usage"))["rows"][0]["requests"] == 1
        assert (await got("api/usage?column.user_id=bob"))["rows"] == []
        assert [it["chat_id"] for it in (await got("api/requests"))["requests"]] == [str(mine.id)]
        assert (await got("api/requests?column.user_id=bob"))["requests"] == []
        assert (await got(f"api/chats/{mine.id}"))["messages"][0]["text"] == "Well?"
        for path in ("", f"/live/{reply.run_id}", "/export", f"/files/{'0' * 64}"):
            assert (await client.get(f"api/chats/{other.id}{path}")).status_code == 404
        assert (await client.get(f"api/chats/{mine.id}/live/{reply.run_id}")).status_code == 404


async def test_usage_is_shown_by_day_model_and_column(db: Database) -> None:
    now = datetime.now(UTC)
    await fill_sample(db, days=3)
    since = {"since": (now - timedelta(days=5)).isoformat()}

    def names(users: Any) -> dict[str, str]:
        return {"ann": "Ann Ashe"}

    async with mounted(db, names={"user_id": names}) as client:

        async def usage(**asked: object) -> Any:
            response = await client.get("api/usage", params={**since, **asked})
            assert response.status_code == 200, response.text
            return response.json()

        (whole,) = (await usage(times=1))["rows"]
        assert whole["requests"] > 30
        assert whole["latency"]["p50"] < whole["latency"]["p95"]
        for by in ("day", "hour", "model", "agent", "user_id", "error_type", "status"):
            rows = (await usage(by=by))["rows"]
            assert sum(row["requests"] for row in rows) == whole["requests"]
            assert sum(row["cost"] or 0 for row in rows) == pytest.approx(whole["cost"])
            assert all(row["latency"] is None for row in rows)
        by_model = (await usage(by="model"))["rows"]
        costs = [row["cost"] or 0 for row in by_model]
        assert costs == sorted(costs, reverse=True)
        assert (await usage(by="user_id"))["names"] == {"ann": "Ann Ashe"}

        for asked in ({"by": "password"}, {"since": "yesterday"}, {"since": "1999-01-01"}):
            answer = await client.get("api/usage", params=asked)
            assert answer.status_code == 422
            assert answer.json()["error"]["message"]


async def test_times_are_those_of_three_months_at_most(db: Database) -> None:
    """Each of their requests is read and sorted."""
    chat = await create_chat(db, Script([say("Yes.")]))
    await chat.ask("Well?")
    old = datetime.now(UTC) - timedelta(days=200)
    await add_requests(db, chat, [Decimal(1)], started_at=old)
    since = (old - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    async with mounted(db) as client:
        (whole,) = (await client.get(f"api/usage?since={since}")).json()["rows"]
        timed = (await client.get(f"api/usage?since={since}&times=1")).json()
    assert whole["requests"] == 2
    assert [row["requests"] for row in timed["rows"]] == [1]
    began = datetime.fromisoformat(timed["since"])
    assert timedelta(days=91) < datetime.now(UTC) - began < timedelta(days=93)


async def test_models_of_the_application_are_counted_apart(db: Database) -> None:
    chat = await create_chat(db, Script([say("Yes.")]), user_id="ann")
    await chat.ask("Well?")
    await add_requests(db, chat, [Decimal("0.25")], model="application")

    async with mounted(db, without_models=["application"]) as client:
        (whole,) = (await client.get("api/usage")).json()["rows"]
        assert whole["requests"] == 1
        by_model = (await client.get("api/usage?by=model")).json()["rows"]
        assert [row["by"] for row in by_model] == [["application"], ["script"]]


async def test_chats_are_found_by_words_user_tool_status_and_cost(db: Database) -> None:
    made = await fill_sample(db, days=2)
    async with mounted(db) as client:

        async def found(**asked: object) -> list[str]:
            response = await client.get("api/chats", params=asked)
            assert response.status_code == 200, response.text
            return [chat["id"] for chat in response.json()["chats"]]

        assert str(made["trace"]) in await found(search="CONTRACTORS policy")
        assert await found(search="contractors nothing") == []
        assert await found(tool="book_hotel") == [str(made["approval"])]
        assert await found(status="failed") == [str(made["failed"])]
        assert await found(status="parked") == [str(made["approval"])]
        assert await found(tool="search_handbook", **{"column.user_id": "bob"}) == []
        assert 0 < len(await found(cost="0.001")) < len(await found())
        assert await found(cost="1000") == []
        for asked in ({"status": "nice"}, {"cost": "NaN"}, {"before": "x"}, {"column.age": "1"}):
            assert (await client.get("api/chats", params=asked)).status_code == 422


async def test_what_was_said_is_found_within_the_scope_once_there_is_an_index(
    db: Database,
) -> None:
    chat = await create_chat(db, Script([say("The wifi password is swordfish.")]), user_id="ann")
    await chat.ask("Please?")
    async with mounted(db) as client:
        answer = (await client.get("api/texts?q=swordfish")).json()
        assert (answer["hits"], "create_search()" in answer["unavailable"]) == ([], True)
        await db.create_search()
        (hit,) = (await client.get("api/texts?q=WIFI+swordfish")).json()["hits"]
        assert (hit["chatId"], hit["role"]) == (str(chat.id), "assistant")
        assert [it["text"] for it in hit["snippet"] if it["match"]] == ["wifi", "swordfish"]
        assert (await client.get("api/texts?q=%22%28%2A")).json()["hits"] == []
    async with mounted(db, allowed=lambda _request: {"user_id": "bob"}) as client:
        assert (await client.get("api/texts?q=swordfish")).json()["hits"] == []
        answer = await client.get("api/texts?q=swordfish&column.user_id=ann")
        assert answer.json()["hits"] == []


async def test_what_an_encrypted_database_can_decrypt_is_shown_and_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sealed.db'}"
    async with Database(url, encryption=Keys(Keys.new())) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Swordfish.")]), title="The wifi password")
        await chat.ask("Please?")
        await create_chat(db, Script(), title="Something else")
        async with mounted(db) as client:
            (found,) = (await client.get("api/chats?search=WIFI&status=complete")).json()["chats"]
            assert found["title"] == "The wifi password"
            trace = (await client.get(f"api/chats/{chat.id}")).json()
            assert trace["messages"][-1]["text"] == "Swordfish."
            unavailable = (await client.get("api/texts?q=swordfish")).json()["unavailable"]
            assert "encrypt" in unavailable


async def test_chats_come_in_pages(db: Database) -> None:
    made = [await create_chat(db, Script(), title=f"Chat {n}") for n in range(52)]
    async with mounted(db) as client:
        first = (await client.get("api/chats")).json()
        second = (await client.get("api/chats", params={"before": first["next"]["key"]})).json()
        seen = [chat["id"] for chat in first["chats"] + second["chats"]]
        assert seen == [str(chat.id) for chat in reversed(made)]
        assert second["next"] is None


async def test_requests_are_shown_slowest_first_with_their_chats(db: Database) -> None:
    made = await fill_sample(db, days=2)
    async with mounted(db) as client:
        slow = (await client.get("api/requests?order=latency_ms")).json()
        times = [request["latency_ms"] for request in slow["requests"]]
        assert times == sorted(times, reverse=True)
        assert all(slow["chats"][request["chat_id"]]["title"] for request in slow["requests"])
        failed = (await client.get("api/requests?status=failed&order=started_at")).json()
        assert {request["status"] for request in failed["requests"]} == {"failed"}
        mine = [it for it in failed["requests"] if it["chat_id"] == str(made["failed"])]
        assert "closed the connection" in mine[0]["error"]
        assert (await client.get("api/requests?order=age")).status_code == 422


async def test_a_chat_is_shown_with_all_that_belongs_to_it(db: Database) -> None:
    made = await fill_sample(db, days=1)
    async with mounted(db) as client:
        trace = (await client.get(f"api/chats/{made['trace']}")).json()
        assert [message["role"] for message in trace["messages"]] == [
            "user",
            "assistant",
            "tool",
            "assistant",
        ]
        assert trace["messages"][1]["reasoning"].startswith("The handbook")
        (call,) = trace["tool_calls"]
        assert call["arguments"] == {"query": "travel policy for contractors"}
        assert call["result"][0]["page"] == 3
        assert [request["first_token_ms"] for request in trace["requests"]] == [620.0, 410.0]
        (run,) = trace["runs"]
        assert run["instructions"].startswith("You are the travel desk")
        assert set(run["settings"]["tools"]) == {"search_handbook", "book_hotel"}
        assert trace["usage"]["cost"] == "0.008816000000"
        assert trace["live"] is None

        (given,) = trace["feedback"]
        assert (given["value"], given["comment"]) == (1, "Just what I needed")

        waiting = (await client.get(f"api/chats/{made['approval']}")).json()
        assert [call["status"] for call in waiting["tool_calls"]] == ["awaiting_approval"]
        branched = (await client.get(f"api/chats/{made['superseded']}")).json()
        assert "superseded" in [message["status"] for message in branched["messages"]]


async def test_long_texts_are_cut_and_long_chats_come_in_pages(db: Database) -> None:
    chat = await create_chat(db, Script(*[[say("x" * 30_000)] for _ in range(32)]))
    for number in range(32):
        await chat.ask(f"Question {number}")
    async with mounted(db) as client:
        last = (await client.get(f"api/chats/{chat.id}")).json()
        assert len(last["messages"]) == 60
        assert "is in the export" not in str(last["messages"][-1]["content"])
        assert last["messages"][-1]["text"].endswith("10,000 more characters")
        first = (await client.get(f"api/chats/{chat.id}?before={last['next']}")).json()
        assert [message["text"][:10] for message in first["messages"][::2]] == [
            "Question 0",
            "Question 1",
        ]
        assert first["next"] is None


async def test_a_chat_is_saved_as_the_library_exports_it(db: Database) -> None:
    made = await fill_sample(db, days=1)
    async with mounted(db) as client:
        response = await client.get(f"api/chats/{made['trace']}/export")
        assert response.headers["content-disposition"].startswith("attachment")
        lines = [json.loads(line) for line in response.text.splitlines()]
        assert lines[1]["title"] == "Travel policy for contractors"


async def test_an_answer_is_followed_without_an_llm(db: Database) -> None:
    chat = await create_chat(db, Script([say("One ", "two.")]))
    reply = await chat.ask("Count.")
    async with mounted(db) as client:
        response = await client.get(f"api/chats/{chat.id}/live/{reply.run_id}")
        events = re.findall(r"event: (\w+)\ndata: (.*)\n", response.text)
        said = "".join(json.loads(data)["text"] for name, data in events if name == "text")
        assert said == "One two."
        assert events[-1][0] == "end"
        assert json.loads(events[-1][1])["status"] == "complete"


async def test_an_application_of_fastapi_mounts_it_below_its_own_root_path(db: Database) -> None:
    app = FastAPI()
    app.mount("/admin", dashboard(db, allowed=everything))
    async with visiting(app, "/behind/a/proxy/", root_path="/behind/a/proxy") as client:
        page = await client.get("admin/")
        assert 'src="assets/page.js"' in page.text
        assert (await client.get("admin/assets/page.js")).status_code == 200
        assert (await client.get("admin", follow_redirects=True)).text == page.text
