"""What the administrator sees."""

import json
from uuid import UUID, uuid4

from hr.tables import HrRequest
from sqlalchemy import select

from chatrecord.testing import call, fail, say
from conftest import ask, new_chat


async def test_a_chat_is_found_by_the_text_of_its_messages(ada, admin, llm):
    word = f"w{uuid4().hex}"
    llm.then([say(f"The word is {word}.")])
    chat = await new_chat(ada)
    await ask(ada, chat, "Which word?")
    (found,) = (await admin.get("/api/admin/chats", params={"search": word})).json()
    assert (found["id"], found["user"]["name"]) == (chat, "Ada Moreau")
    assert found["title"] == "Which word?"
    assert (await admin.get("/api/admin/chats", params={"search": "%" + word})).json() == []
    others = await admin.get("/api/admin/chats", params={"search": word, "user": 2})
    assert others.json() == []


async def test_chats_come_in_pages(ada, admin):
    chats = [await new_chat(ada) for _ in range(32)]
    first = (await admin.get("/api/admin/chats")).json()
    second = (await admin.get("/api/admin/chats", params={"before": first[-1]["id"]})).json()
    seen = [it["id"] for it in first + second]
    assert len(first) == 30
    assert seen[:32] == chats[::-1]
    assert len(set(seen)) == len(seen)


async def test_the_trail_has_superseded_answers_and_failed_requests(ada, admin, llm):
    llm.then([say("The first answer.")], [say("Half an ans"), fail(ValueError("broke"))])
    chat = await new_chat(ada)
    await ask(ada, chat, "One?")
    await ask(ada, chat, "Two?")
    llm.then([say("The second answer.")])
    body = {"id": chat, "trigger": "regenerate-message", "messages": []}
    assert (await ada.post("/api/chats", json=body)).status_code == 200
    trail = (await admin.get(f"/api/admin/chats/{chat}")).json()
    told = [(it["text"], it["status"]) for it in trail["messages"]]
    assert told[0] == ("One?", "complete")
    assert ("Half an ans", "superseded") in told
    assert told[-1] == ("The second answer.", "complete")
    assert [it["status"] for it in trail["requests"]] == ["complete", "failed", "complete"]
    assert len(trail["runs"]) == 3
    assert trail["runs"][0]["instructions"].startswith("You are the HR assistant")


async def test_usage_is_reported_by_day_model_and_user(ada, ben, admin, llm):
    for client in (ada, ben):
        llm.then([call("check_vacation_balance")], [say("That many.")])
        await ask(client, await new_chat(client), "How many?")
    (day,) = (await admin.get("/api/admin/usage")).json()
    assert day["requests"] >= 4
    assert {"p50", "p95", "p99"} <= day["latencyMs"].keys()
    by_user = (await admin.get("/api/admin/usage", params={"by": "user"})).json()
    assert {"Ada Moreau", "Ben Okafor"} <= {it["user"] for it in by_user}
    both = (await admin.get("/api/admin/usage?by=day&by=model&since=2026-01-01")).json()
    assert {"day", "model", "requests", "errorRate", "cost"} <= both[0].keys()
    assert (await admin.get("/api/admin/usage?since=2999-01-01")).json() == []
    assert (await admin.get("/api/admin/usage?by=password")).status_code == 422


async def test_steps_of_the_application_are_counted_apart(hr, ben, admin, llm):
    """They take no time and no tokens: among the model's they would make it look fast."""
    llm.then([call("check_vacation_balance")], [say("That many.")])
    chat = await new_chat(ben)
    before = await _usage(admin, "user")
    await ask(ben, chat, "How many?")
    async with hr.sessions.begin() as session:
        step = select(HrRequest).where(HrRequest.chat_id == UUID(chat)).order_by(HrRequest.id)
        first = (await session.scalars(step.limit(1))).one()
        first.model, first.latency_ms, first.first_token_ms = "application", 0.1, 0.1
    after = await _usage(admin, "user")
    assert after["Ben Okafor"]["requests"] - _requests(before, "Ben Okafor") == 1
    assert after["Ben Okafor"]["latencyMs"]["p50"] > 0.1
    by_model = await _usage(admin, "model")
    assert by_model["application"]["requests"] >= 1
    others = sum(it["requests"] for name, it in by_model.items() if name != "application")
    (day,) = (await admin.get("/api/admin/usage")).json()
    assert day["requests"] == others


async def _usage(admin, by):
    return {it[by]: it for it in (await admin.get(f"/api/admin/usage?by={by}")).json()}


def _requests(rows, name):
    return rows[name]["requests"] if name in rows else 0


async def test_a_chat_is_found_by_words_in_any_order(ada, admin, llm):
    word = f"w{uuid4().hex}"
    llm.then([say("Five days.")])
    chat = await new_chat(ada)
    await ask(ada, chat, f"Leave that is annual, {word}?")
    for search, count in ((f"{word} ANNUAL leave five", 1), (f"{word} sick", 0)):
        found = (await admin.get("/api/admin/chats", params={"search": search})).json()
        assert len(found) == count


async def test_what_no_utf8_holds_is_shown_all_the_same(ada, admin, llm):
    """Any employee can say it, and the list of all chats has it as a title."""
    llm.then([say("Hm.")])
    chat = await new_chat(ada)
    body = json.dumps({"id": chat, "text": "half \ud800 a character"})
    headers = {"content-type": "application/json"}
    assert (await ada.post("/api/chats", content=body, headers=headers)).status_code == 200
    for path in ("/api/admin/chats", f"/api/admin/chats/{chat}"):
        response = await admin.get(path)
        assert response.status_code == 200
        assert "half \\ud800 a character" in response.text


async def test_a_query_that_is_not_right_is_no_failure(admin):
    assert (await admin.get(f"/api/admin/chats?user={2**40}")).status_code == 422
    twice, once = [await admin.get(f"/api/admin/usage?{q}") for q in ("by=day&by=day", "by=day")]
    assert twice.json() == once.json()
