"""What the administrator sees."""

import json
from uuid import UUID, uuid4

from hr.tables import HrRequest
from sqlalchemy import select

from chatrecord.testing import call, fail, say
from conftest import ask, new_chat

API = "/administration/api"


async def test_chats_are_found_by_title_and_person(ada, ben, admin, llm):
    word = f"w{uuid4().hex}"
    llm.then([say("Five days.")])
    chat = await new_chat(ada)
    await ask(ada, chat, f"Leave that is annual, {word}?")
    people = {"Ada Moreau": (await ada.get("/api/me")).json()["id"]}
    for search, count in ((f"{word} ANNUAL leave", 1), (f"{word} sick", 0), (f"%{word}", 0)):
        answer = (await admin.get(f"{API}/chats", params={"search": search})).json()
        assert len(answer["chats"]) == count
    params = {"search": word, "column.user_id": people["Ada Moreau"]}
    answer = (await admin.get(f"{API}/chats", params=params)).json()
    (found,) = answer["chats"]
    assert found["id"] == chat
    assert answer["names"]["user_id"][str(found["columns"]["user_id"])] == "Ada Moreau"
    params["column.user_id"] = (await ben.get("/api/me")).json()["id"]
    assert (await admin.get(f"{API}/chats", params=params)).json()["chats"] == []


async def test_chats_are_found_by_what_was_said(ada, admin, llm):
    word = f"w{uuid4().hex}"
    llm.then([say(f"The word is {word}.")])
    chat = await new_chat(ada)
    await ask(ada, chat, "Which word?")
    (hit,) = (await admin.get(f"{API}/texts", params={"q": f"{word} the"})).json()["hits"]
    assert (hit["chatId"], hit["title"], hit["role"]) == (chat, "Which word?", "assistant")


async def test_the_trace_has_superseded_answers_and_failed_requests(ada, admin, llm):
    llm.then([say("The first answer.")], [say("Half an ans"), fail(ValueError("broke"))])
    chat = await new_chat(ada)
    await ask(ada, chat, "One?")
    await ask(ada, chat, "Two?")
    llm.then([say("The second answer.")])
    body = {"id": chat, "trigger": "regenerate-message", "messages": []}
    assert (await ada.post("/api/chats", json=body)).status_code == 200
    trace = (await admin.get(f"{API}/chats/{chat}")).json()
    told = [(it["text"], it["status"]) for it in trace["messages"]]
    assert told[0] == ("One?", "complete")
    assert ("Half an ans", "superseded") in told
    assert told[-1] == ("The second answer.", "complete")
    assert [it["status"] for it in trace["requests"]] == ["complete", "failed", "complete"]
    assert len(trace["runs"]) == 3
    assert trace["runs"][0]["instructions"].startswith("You are the HR assistant")


async def test_usage_is_reported_by_day_model_and_person(ada, ben, admin, llm):
    for client in (ada, ben):
        llm.then([call("check_vacation_balance")], [say("That many.")])
        await ask(client, await new_chat(client), "How many?")
    by_day = (await admin.get(f"{API}/usage?by=day&times=1")).json()["rows"]
    assert sum(day["requests"] for day in by_day) >= 4
    assert {"p50", "p95", "p99"} <= by_day[-1]["latency"].keys()
    by_user = (await admin.get(f"{API}/usage?by=user_id")).json()
    named = {by_user["names"][str(row["by"][0])] for row in by_user["rows"]}
    assert {"Ada Moreau", "Ben Okafor"} <= named
    assert (await admin.get(f"{API}/usage?by=password")).status_code == 422


async def test_steps_of_the_application_are_counted_apart(hr, ben, admin, llm):
    """They take no time and no tokens: among the model's they would make it look fast."""
    llm.then([call("check_vacation_balance")], [say("That many.")])
    chat = await new_chat(ben)
    before = await _requests(admin)
    await ask(ben, chat, "How many?")
    async with hr.sessions.begin() as session:
        step = select(HrRequest).where(HrRequest.chat_id == UUID(chat)).order_by(HrRequest.id)
        first = (await session.scalars(step.limit(1))).one()
        first.model, first.latency_ms, first.first_token_ms = "application", 0.1, 0.1
    assert await _requests(admin) == before + 1
    by_model = {
        row["by"][0]: row["requests"]
        for row in (await admin.get(f"{API}/usage?by=model")).json()["rows"]
    }
    assert by_model.pop("application") >= 1
    assert sum(by_model.values()) == before + 1


async def _requests(admin):
    rows = (await admin.get(f"{API}/usage")).json()["rows"]
    return sum(row["requests"] for row in rows)


async def test_what_no_utf8_holds_is_shown_all_the_same(ada, admin, llm):
    """Any employee can say it, and the list of all chats has it as a title."""
    llm.then([say("Hm.")])
    chat = await new_chat(ada)
    body = json.dumps({"id": chat, "text": "half \ud800 a character"})
    headers = {"content-type": "application/json"}
    assert (await ada.post("/api/chats", content=body, headers=headers)).status_code == 200
    for path in ("chats", f"chats/{chat}"):
        response = await admin.get(f"{API}/{path}")
        assert response.status_code == 200
        assert "half \\ud800 a character" in response.text
