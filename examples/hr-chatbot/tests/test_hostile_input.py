"""Text of strangers on its way to the database: it is answered or refused, and never a failure."""

import gzip
import json

import pytest
from hr.search import LONGEST_QUERY

from chatrecord.chats.titles import LONGEST_TITLE
from chatrecord.testing import call, say
from conftest import ask, new_chat

ODD = {
    "nothing": "",
    "a null": "a\0b",
    "half a character": "\ud800",
    "a snake": "\U0001f40d" * 500,
    "wildcards": "%_\\" * 80,
    "quotes": "' OR 1=1 --",
    "an expression": '"a" NEAR( b:c* ^d',
    "a large number": str(2**70),
    "a small number": str(-(2**70)),
    "minus one": "-1",
    "no number": "NaN",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
    "a path": "../../etc/passwd",
    "much": "word " * 2_000,
}
GET = [
    "/administration/{}",
    "/administration/assets/{}",
    "/administration/api/chats?search={}",
    "/administration/api/texts?q={}",
    "/administration/api/chats?tool={}",
    "/administration/api/chats?status={}",
    "/administration/api/chats?cost={}",
    "/administration/api/chats?column.user_id={}",
    "/administration/api/chats?column.{}=1",
    "/administration/api/chats?before={}",
    "/administration/api/usage?by={}",
    "/administration/api/usage?since={}",
    "/administration/api/usage?until={}",
    "/administration/api/requests?order={}",
    "/administration/api/requests?model={}",
    "/administration/api/requests?status={}",
    "/administration/api/chats/{}",
    "/administration/api/chats/CHAT?before={}",
    "/administration/api/chats/CHAT/live/{}",
    "/administration/api/chats/CHAT/files/{}",
    "/administration/api/chats/{}/export",
    "/api/documents/{}",
    "/api/documents/travel.md{}",
    "/api/passages/{}",
    "/api/chats?search={}",
    "/api/chats?before={}",
    "/api/chats?limit={}",
    "/api/chats/{}",
    "/api/chats/CHAT?before={}",
    "/api/chats/CHAT?limit={}",
    "/api/chats/CHAT/files/{}",
]


@pytest.mark.parametrize("length", [LONGEST_TITLE + 1, 50_000, 60_000])
async def test_a_search_that_is_too_long_is_refused_with_the_limit(admin, length):
    response = await admin.get("/administration/api/chats", params={"search": "x" * length})
    assert response.status_code == 422
    assert str(LONGEST_TITLE) in response.json()["error"]["message"]
    response = await admin.get("/api/chats", params={"search": "x" * length})
    assert response.status_code == 422


async def test_the_longest_search_is_answered_for_any_text(admin):
    for letter in "x%_\\'\"ß\U0001f40d":
        params = {"search": letter * LONGEST_TITLE}
        found = await admin.get("/administration/api/chats", params=params)
        assert found.json()["chats"] == []


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_address_is_no_failure(admin, odd):
    chat = await new_chat(admin)
    text = ODD[odd].encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in text)
    for path in GET:
        response = await admin.get(path.replace("CHAT", chat).format(quoted))
        assert response.status_code < 500, (path, response.text)


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_body_is_no_failure(admin, odd):
    chat, text = await new_chat(admin), ODD[odd][:200]
    for method, path, body in [
        ("POST", "/api/sign-in", {"email": text, "password": text}),
        ("POST", "/api/chats/new", {"title": text, "metadata": {text: text}}),
        ("PATCH", f"/api/chats/{chat}", {"title": text}),
        ("POST", f"/api/chats/{chat}/approve", {"callId": text}),
        ("POST", f"/api/chats/{chat}/deny", {"callId": text, "reason": text}),
        ("POST", "/api/chats", {"id": text, "text": "Hello"}),
        ("POST", "/api/chats", {"id": chat, "trigger": "regenerate-message", "messageId": text}),
    ]:
        headers = {"content-type": "application/json"}
        response = await admin.request(method, path, content=json.dumps(body), headers=headers)
        assert response.status_code < 500, (path, response.text)
    response = await admin.get("/api/chats")
    assert response.status_code == 200


@pytest.mark.parametrize("odd", ODD)
async def test_what_a_model_asks_a_tool_for_is_no_failure(ada, llm, odd):
    """It may say anything: a query that is too long, and dates that there are not."""
    llm.then(
        [call("search_handbook", query=ODD[odd])],
        [call("request_time_off", first_day=ODD[odd], last_day="9999-12-31")],
        [say("That is all.")],
    )
    chat = await new_chat(ada)
    await ask(ada, chat, "Go on.")
    if "approval" in (await ada.get(f"/api/chats/{chat}")).text:
        pending = (await ada.get(f"/api/chats/{chat}")).json()["pendingApprovals"]
        for each in pending:
            await ada.post(f"/api/chats/{chat}/approve", json={"callId": each["callId"]})
        assert (await ada.post(f"/api/chats/{chat}/resume")).status_code == 200
    said = (await ada.get(f"/api/chats/{chat}")).json()["messages"][-1]
    assert said["metadata"]["status"] == "complete"


async def test_of_an_endless_query_only_the_beginning_is_looked_for(hr, embedder):
    begun = "notice period " + "x" * (LONGEST_QUERY - 14)
    assert await hr.search(begun + " parental leave" * 5_000) == await hr.search(begun)


@pytest.mark.parametrize("path", ["/api/sign-in", "/api/chats/new"])
async def test_a_packed_body_is_not_unpacked(ada, path):
    packed = gzip.compress(b'{"email": "' + b"x" * 10_000_000 + b'", "password": "x"}')
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await ada.post(path, content=packed, headers=headers)
    assert response.status_code in {400, 422}


async def test_a_body_is_not_read_before_the_caller_is_known(visitor):
    response = await visitor.post("/api/sign-in", json={"email": "x" * 20_000, "password": "x"})
    assert response.status_code == 413
    assert "16 KB" in response.json()["error"]["message"]
