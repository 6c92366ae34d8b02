"""The routes themselves: whose chats they show, what they refuse, and that no reader is in their way."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic_ai import Tool
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from chatrecord import Budget, Limits
from chatrecord.records import REPORTED
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, call, meet, say
from chatrecord.web import chat_routes

from .app import SECRET, WORDS, add
from .conftest import Site

WHOLE = "".join(WORDS)

ROUTES = [
    ("GET", "/{id}", None),
    ("GET", "/{id}/stream", None),
    ("POST", "/{id}/stop", None),
    ("POST", "/{id}/resume", None),
    ("POST", "/{id}/approve", {"callId": "pay-1"}),
    ("POST", "/{id}/deny", {"callId": "pay-1"}),
    ("PATCH", "/{id}", {"title": "Mine now"}),
    ("DELETE", "/{id}", None),
    ("POST", "/{id}/undelete", None),
    ("GET", "/{id}/files/" + 64 * "a", None),
    ("POST", "", {"id": "{id}", "text": "Hello?"}),
    (
        "POST",
        "",
        {"threadId": "{id}", "runId": "r", "messages": [{"role": "user", "content": "?"}]},
    ),
]


@pytest.fixture
async def web(site: Site, user: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url, headers={"x-user": user}, timeout=20) as client:
        yield client


def ask(chat_id: UUID, text: str = "Hello?", key: str | None = None) -> dict[str, Any]:
    return {"id": str(chat_id), "text": text, "key": key}


def chunks_of(stream: str) -> list[dict[str, Any]]:
    frames = [frame for frame in stream.split("\n\n") if frame.startswith("data: {")]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def file_part(fields: bytes) -> bytes:
    parts = b'[{"type": "text", "text": "?"}, {"type": "file", ' + fields + b"}]"
    return b'{"id": "ID", "messages": [{"role": "user", "parts": ' + parts + b"}]}"


def text_of(stream: str) -> str:
    return "".join(chunk.get("delta", "") for chunk in chunks_of(stream))


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_the_chat_of_another_is_as_unknown_as_none(
    web: httpx.AsyncClient, chat_id: UUID, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """To the byte, on every route, whether it waits for approval or not."""
    parked = await web.post("/chats", json=ask(chat_id), headers={"x-script": "pay"})
    assert "approval" in parked.text
    told = []
    for asked_for in (str(chat_id), str(uuid4()), "no-uuid"):
        given = None if body is None else json.loads(json.dumps(body).replace("{id}", asked_for))
        url = f"/chats{path}".replace("{id}", asked_for)
        told.append(await web.request(method, url, json=given, headers={"x-user": "somebody-else"}))
    assert {answer.status_code for answer in told} == {404}
    assert len({answer.content for answer in told}) == 1
    mine = (await web.get(f"/chats/{chat_id}")).json()
    assert mine["pendingApprovals"] == [
        {"callId": "pay-1", "name": "pay", "arguments": {"euros": 90}}
    ]
    assert mine["chat"]["title"] is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [*ROUTES, ("GET", "", None), ("GET", "/deleted", None), ("POST", "/new", {})],
)
async def test_who_is_not_signed_in_gets_nothing(
    site: Site, chat_id: UUID, method: str, path: str, body: dict[str, Any] | None
) -> None:
    async with httpx.AsyncClient(base_url=site.url) as nobody:
        given = None if body is None else json.loads(json.dumps(body).replace("{id}", str(chat_id)))
        url = f"/chats{path}".replace("{id}", str(chat_id))
        told = await nobody.request(method, url, json=given)
    assert (told.status_code, told.json()["error"]["code"]) == (401, "not_signed_in")


async def test_the_list_has_only_ones_own_page_by_page(web: httpx.AsyncClient) -> None:
    made = [(await web.post("/chats/new", json={"title": f"Chat {n}"})).json() for n in range(3)]
    await web.post("/chats/new", json={"title": "Theirs"}, headers={"x-user": "somebody-else"})
    first = (await web.get("/chats", params={"limit": 2})).json()
    second = (await web.get("/chats", params={"limit": 2, "before": first["next"]})).json()
    assert first["chats"] + second["chats"] == made[::-1]
    assert second["next"] is None
    found = (await web.get("/chats", params={"search": "chat 1"})).json()
    assert [chat["title"] for chat in found["chats"]] == ["Chat 1"]


async def test_a_chat_is_made_renamed_and_deleted(web: httpx.AsyncClient) -> None:
    made = await web.post("/chats/new", json={"title": "Old", "metadata": {"team": "HR"}})
    chat = made.json()
    assert made.status_code == 201
    assert (chat["title"], chat["metadata"]) == ("Old", {"team": "HR"})
    renamed = await web.patch(f"/chats/{chat['id']}", json={"title": "New"})
    assert renamed.json() == {**chat, "title": "New"}
    assert (await web.delete(f"/chats/{chat['id']}")).status_code == 204
    assert (await web.get(f"/chats/{chat['id']}")).status_code == 404
    assert (await web.delete(f"/chats/{chat['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b'{"id": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
        (b"{}", 422),
        (b'{"id": 1}', 422),
        (b'{"id": "ID"}', 422),
        (b'{"id": "ID", "text": 5}', 422),
        (b'{"id": "ID", "text": NaN}', 400),
        (b'{"id": "ID", "text": "?", "metadata": 1e999}', 400),
        (b'{"id": "ID", "text": "?", "key": "\\u0000"}', 422),
        (b'{"id": "ID\\u0000", "text": "?"}', 422),
        (b'{"id": "ID", "text": "  "}', 422),
        (b'{"id": "ID", "text": "?", "trigger": "drop-table"}', 422),
        (b'{"id": "ID", "messages": {}}', 422),
        (b'{"id": "ID", "messages": []}', 422),
        (b'{"id": "ID", "messages": ["?"]}', 422),
        (b'{"id": "ID", "messages": [{"role": "system", "parts": []}]}', 422),
        (b'{"id": "ID", "messages": [{"role": "user", "parts": "?"}]}', 422),
        (b'{"id": "ID", "messages": [{"role": "user", "parts": [{"type": "text"}]}]}', 422),
        (
            b'{"id": "ID", "messages": [{"role": "user", "parts": [{"type": "text", "text": ""}]}]}',
            422,
        ),
        (b'{"id": "ID", "messages": [{"role": "assistant", "parts": []}]}', 422),
        (
            (
                b'{"id": "ID", "messages": [{"role": "assistant", "parts": '
                b'[{"state": "approval-responded", "approval": {"id": "a", "approved": 1}}]}]}'
            ),
            422,
        ),
        (b'{"threadId": "ID", "runId": "r", "messages": []}', 422),
        (b'{"threadId": "ID", "runId": "r", "messages": [{"role": "user", "content": [5]}]}', 422),
        (
            b'{"threadId": "ID", "runId": "r", "resume": [{"interruptId": "pay-1", "payload": 1}]}',
            422,
        ),
        (file_part(b'"url": "http://169.254.169.254/latest/meta-data"'), 422),
        (file_part(b'"url": "file:///etc/passwd"'), 422),
        (file_part(b'"url": "data:image/png;base64,%%%"'), 422),
        (file_part(b'"url": "data:;base64,AAAA"'), 422),
        (file_part(b'"url": "data:image/png;base64,AAAA", "mediaType": "a/b\\r\\nx: y"'), 422),
        (file_part(b'"url": 5'), 422),
        (file_part(b'"url": "/chats/ID/files/' + b"a" * 64 + b'"'), 404),
        (b'{"id": "ID", "text": "' + b"a" * 60_000 + b'"}', 413),
    ],
)
async def test_a_body_that_is_not_right_is_refused(
    web: httpx.AsyncClient, chat_id: UUID, body: bytes, status: int
) -> None:
    body = body.replace(b"ID", str(chat_id).encode())
    told = await web.post("/chats", content=body, headers={"content-type": "application/json"})
    assert told.status_code == status, told.text
    assert told.json()["error"].keys() == {"code", "message"}
    assert (await web.get(f"/chats/{chat_id}")).json()["messages"] == []


async def test_a_large_body_is_not_read_to_its_end(site: Site, user: str) -> None:
    """It may come in pieces, and not say how large it is."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"a" * 10_000

    async with httpx.AsyncClient(base_url=site.url, headers={"x-user": user}) as web:
        told = await web.post(
            "/chats", content=pieces(), headers={"content-type": "application/json"}
        )
    assert told.status_code == 413


async def test_other_sorts_of_bodies_are_refused(web: httpx.AsyncClient, chat_id: UUID) -> None:
    """A form of another site can send these without asking."""
    told = await web.post(
        "/chats", content=json.dumps(ask(chat_id)), headers={"content-type": "text/plain"}
    )
    assert told.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        {"title": 5},
        {"title": " "},
        {"title": "a" * 300},
        {"metadata": []},
        {"metadata": {"a": "b" * 20_000}},
    ],
)
async def test_a_chat_that_is_not_right_is_refused(
    web: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await web.post("/chats/new", json=body)).status_code == 422
    assert (await web.get("/chats")).json()["chats"] == []


@pytest.mark.parametrize("search", ["\x00", "a" * 300, "a\nb"])
async def test_a_search_that_is_not_right_is_refused(web: httpx.AsyncClient, search: str) -> None:
    assert (await web.get("/chats", params={"search": search})).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=1000",
        "limit=-1",
        "limit=²",
        "before=x",
        "before=%00",
        "limit=00000000011",
    ],
)
async def test_a_query_that_is_not_right_is_refused(
    web: httpx.AsyncClient, chat_id: UUID, query: str
) -> None:
    for url in ("/chats", f"/chats/{chat_id}"):
        assert (await web.get(f"{url}?{query}")).status_code == 422


@pytest.mark.parametrize(
    "when", ["2026-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59-23:59"]
)
async def test_a_place_in_the_list_is_a_time_that_there_is(
    web: httpx.AsyncClient, when: str
) -> None:
    """A place that was made up is no failure of the database."""
    place = urlsafe_b64encode(f"{when}|{uuid4()}".encode()).decode()
    told = await web.get("/chats", params={"before": place})
    assert told.status_code == (200 if when == "2026-01-01" else 422)


async def test_a_body_of_millions_of_values_is_refused_before_it_is_read(db: Database) -> None:
    """Read, it would take half a gigabyte, and hold up everybody for seconds."""
    async with served(chat_routes(db, Script(), owner=me)) as web:
        body = b'{"metadata": {"a": [' + b"[]," * 1_000_000 + b"[]]}}"
        told = await web.post("/new", content=body, headers={"content-type": "application/json"})
    assert (told.status_code, told.json()["error"]["code"]) == (413, "too_large")


async def test_two_tabs_that_decide_at_once_both_see_the_answer(db: Database) -> None:
    """The second finds the call decided between its look and its word."""
    allowed = [Tool(add, requires_approval=True)]
    llm = Script([call("add", "call-1", a=1, b=2)], [say("Three.")])
    async with served(chat_routes(db, llm, owner=me, tools=allowed)) as web:
        chat_id = (await web.post("/new", json={})).json()["id"]
        await web.post("/", json={"id": chat_id, "text": "1 + 2?"})
        decided = {"state": "approval-responded", "approval": {"id": "call-1", "approved": True}}
        body = {"id": chat_id, "messages": [{"role": "assistant", "parts": [decided]}]}
        told = await asyncio.gather(*(web.post("/", json=body) for _ in range(4)))
    assert [text_of(each.text) for each in told] == 4 * ["Three."]


async def test_a_second_question_is_a_conflict(web: httpx.AsyncClient, chat_id: UUID) -> None:
    asked = ask(chat_id)
    async with web.stream("POST", "/chats", json=asked, headers={"x-script": "slow"}) as first:
        assert first.status_code == 200
        second = await web.post("/chats", json=asked)
        assert (second.status_code, second.json()["error"]["code"]) == (409, "busy")
        again = await web.post(f"/chats/{chat_id}/resume")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "busy")
    await web.post(f"/chats/{chat_id}/stop")


async def test_a_question_while_a_tool_waits_is_a_conflict(
    web: httpx.AsyncClient, chat_id: UUID
) -> None:
    await web.post("/chats", json=ask(chat_id), headers={"x-script": "pay"})
    for path, body in (("", ask(chat_id)), (f"/{chat_id}/resume", None)):
        told = await web.post(f"/chats{path}", json=body)
        assert (told.status_code, told.json()["error"]["code"]) == (409, "approval_pending")
    assert (await web.get(f"/chats/{chat_id}/stream")).status_code == 204


async def test_a_key_for_two_questions_is_a_conflict(web: httpx.AsyncClient, chat_id: UUID) -> None:
    await web.post("/chats", json=ask(chat_id, key="k1"))
    told = await web.post("/chats", json=ask(chat_id, "Another?", key="k1"))
    assert (told.status_code, told.json()["error"]["code"]) == (409, "sent_before")


async def test_a_question_in_a_long_line_is_answered_before_its_turn(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proxy waits for headers for as long as the answer before it takes."""
    monkeypatch.setattr("chatrecord.web.dispatch.PATIENCE", 0.1)
    let = asyncio.Event()
    llm = Script([meet(let.wait), say("First.")], [say("Second.")])
    async with served(chat_routes(db, llm, owner=me, on_busy="wait")) as web:
        made = (await web.post("/new", json={})).json()
        asking = []
        for text in ("One?", "Two?"):
            asked = web.post("/", json={"id": made["id"], "text": text})
            asking.append(asyncio.create_task(asked))
            await asyncio.sleep(0.3)
        let.set()
        told = [await task for task in asking]
    assert [text_of(answer.text) for answer in told] == ["First.", "Second."]


async def test_a_closed_socket_does_not_stop_the_answer(
    site: Site, web: httpx.AsyncClient, user: str, chat_id: UUID
) -> None:
    address = urlsplit(site.url)
    body = json.dumps(ask(chat_id)).encode()
    with socket.create_connection((address.hostname, address.port)) as reader:
        head = f"POST /chats HTTP/1.1\r\nhost: x\r\nx-user: {user}\r\nx-script: slow\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        reader.sendall(head.encode() + body)
        seen = b""
        while b"text-delta" not in seen:
            seen += reader.recv(4_096)
    live = await web.get(f"/chats/{chat_id}/stream")
    assert live.status_code == 200
    assert text_of(live.text) == WHOLE
    answer = (await web.get(f"/chats/{chat_id}")).json()["messages"][1]
    assert (answer["parts"][1]["text"], answer["metadata"]["status"]) == (WHOLE, "complete")


async def test_a_stream_that_waits_shows_that_it_lives(
    web: httpx.AsyncClient, chat_id: UUID
) -> None:
    """And nothing is held up on its way: a piece comes as soon as it is stored."""
    loop = asyncio.get_running_loop()
    async with web.stream(
        "POST", "/chats", json=ask(chat_id), headers={"x-script": "late"}
    ) as told:
        assert told.headers["x-accel-buffering"] == "no"
        assert told.headers["cache-control"] == "no-cache, no-transform"
        assert told.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert "content-length" not in told.headers
        seen = [(loop.time(), piece) async for piece in told.aiter_raw()]
    run_states = [at for at, piece in seen if piece == b": \n\n"]
    first = next(at for at, piece in seen if b"text-delta" in piece)
    assert len([at for at in run_states if at < first]) >= 2
    assert text_of(b"".join(piece for _, piece in seen).decode()) == "At last."


@pytest.mark.parametrize(("script", "seen"), [("broken", "The policy "), ("refused", "")])
@pytest.mark.parametrize("protocol", ["ai-sdk", "ag-ui", "sse"])
async def test_what_an_exception_says_is_for_no_client(
    web: httpx.AsyncClient, chat_id: UUID, script: str, seen: str, protocol: str
) -> None:
    told = await web.post(
        "/chats", json=ask(chat_id), headers={"x-script": script, "x-chat-protocol": protocol}
    )
    stored = await web.get(f"/chats/{chat_id}")
    assert told.status_code == 200
    assert SECRET not in told.text + stored.text
    ending = {
        "ai-sdk": 'data: {"type":"error","errorText":"The model could not answer."}',
        "ag-ui": '"type":"RUN_ERROR"',
        "sse": "event: end",
    }[protocol]
    assert ending in told.text
    assert seen in told.text
    assert stored.json()["messages"][1]["metadata"]["error"]["code"] == "provider_failed"


async def test_an_error_of_the_applications_is_for_no_client(db: Database, caplog: Any) -> None:
    def owner(_request: Request) -> dict[str, object]:
        raise RuntimeError(SECRET)

    async with served(chat_routes(db, Script(), owner=owner)) as web:
        told = await web.get("/")
    assert (told.status_code, told.json()["error"]["code"]) == (500, "failed")
    assert SECRET not in told.text


def served(routes: list[Any]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def me(_request: Request) -> dict[str, object]:
    return {"user_id": "me"}


def test_routes_need_an_owner(db: Database) -> None:
    with pytest.raises(TypeError, match="Without it everybody could read everything"):
        chat_routes(db, Script())


def test_routes_refuse_options_that_there_are_not(db: Database) -> None:
    with pytest.raises(TypeError, match="toolz"):
        chat_routes(db, Script(), owner=me, toolz=[])
    with pytest.raises(TypeError, match="never stops an answer"):
        chat_routes(db, Script(), owner=me, on_disconnect="stop")
    with pytest.raises(ValueError, match="version=5, 6 or 7"):
        chat_routes(db, Script(), owner=me, version=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", [None, {}, {"user_id": None}])
async def test_a_scope_of_none_matches_only_null(
    db: Database, scope: dict[str, object] | None
) -> None:
    await create_chat(db, Script())  # whose user_id is NULL
    async with served(chat_routes(db, Script(), owner=lambda _request: scope)) as web:
        assert (await web.get("/")).status_code == 401


async def test_the_scope_is_that_of_an_async_owner(db: Database) -> None:
    async def owner(request: Request) -> dict[str, object]:
        return {"user_id": request.headers["x-user"]}

    async with served(chat_routes(db, Script(), owner=owner)) as web:
        made = await web.post("/new", json={}, headers={"x-user": "u7"})
    chat = await load_chat(db, Script(), made.json()["id"], user_id="u7")
    assert chat.record.columns == {"user_id": "u7"}


async def test_tools_and_llm_are_those_of_who_asks(db: Database) -> None:
    """Whatever the model says: what a tool reads is bound to who is signed in."""
    balances = {"ann": 12, "bob": 3}

    def options(_request: Request, scope: Any) -> dict[str, Any]:
        def balance(of: str) -> int:  # the model may name anybody
            return balances[scope["user_id"]]

        return {"tools": [balance]}

    def llm(_request: Request, scope: Any) -> Script:
        return Script([call("balance", of="bob")], [say(f"For {scope['user_id']}.")])

    routes = chat_routes(
        db, llm, owner=lambda request: {"user_id": request.headers["x-user"]}, options=options
    )
    async with served(routes) as web:
        made = (await web.post("/new", json={}, headers={"x-user": "ann"})).json()
        told = await web.post("/", json={"id": made["id"], "text": "?"}, headers={"x-user": "ann"})
    assert '"output":12' in told.text
    assert text_of(told.text) == "For ann."


class Priced(Script):
    """A script by the name of a model whose price is known."""

    model_name = "gpt-4o"
    system = "openai"


@pytest.mark.parametrize(("llm", "source"), [(Priced, "computed"), (Script, "unknown")])
async def test_metadata_says_where_an_amount_comes_from(
    db: Database, llm: type[Script], source: str
) -> None:
    async with served(chat_routes(db, llm([say("Hi.")]), owner=me)) as web:
        made = (await web.post("/new", json={})).json()
        streamed = chunks_of((await web.post("/", json={"id": made["id"], "text": "?"})).text)
        stored = (await web.get(f"/{made['id']}")).json()["messages"][-1]["metadata"]

        chat = await load_chat(db, Script(), made["id"])
        (request,) = await chat.requests()
        changes = Changes(chat.id)
        changes.put(replace(request, cost=Decimal("0.5"), price_source=REPORTED))
        await db.store.write(changes)
        charged = (await web.get(f"/{made['id']}")).json()["messages"][-1]["metadata"]

    (told,) = (chunk for chunk in streamed if chunk["type"] == "finish")
    assert told["messageMetadata"]["costSource"] == stored["costSource"] == source
    assert ("cost" in stored) == (source == "computed")
    assert (charged["cost"], charged["costSource"]) == (0.5, "reported")


async def test_a_used_up_budget_is_refused_before_the_stream(db: Database) -> None:
    spent = Budget(tokens=1, per="day", by="user_id", most=Decimal(1))
    routes = chat_routes(db, Script([say("Once.")]), owner=me, budgets=[spent])
    async with served(routes) as web:
        made = (await web.post("/new", json={})).json()
        assert (await web.post("/", json={"id": made["id"], "text": "?"})).status_code == 200
        told = await web.post("/", json={"id": made["id"], "text": "And?"})
    assert (told.status_code, told.json()["error"]["code"]) == (429, "budget_exceeded")
    assert 0 < int(told.headers["retry-after"]) <= 86_400


async def test_history_is_read_page_by_page(db: Database) -> None:
    llm = Script(
        *([[call("add", a=n, b=1)], [say(f"It is {n + 1}.")]][m] for n in range(7) for m in (0, 1))
    )
    async with served(chat_routes(db, llm, owner=me, tools=[add])) as web:
        made = (await web.post("/new", json={})).json()
        for n in range(7):
            await web.post("/", json={"id": made["id"], "text": f"{n} + 1?"})
        whole = (await web.get(f"/{made['id']}")).json()
        pages: list[Any] = []
        before: dict[str, int] = {}
        while True:
            page = (await web.get(f"/{made['id']}", params={"limit": 3, **before})).json()
            pages = page["messages"] + pages
            if page["next"] is None:
                break
            before = {"before": page["next"]}
    assert len(whole["messages"]) == 14
    assert pages == whole["messages"]


@pytest.mark.parametrize(
    ("media_type", "shown"),
    [("image/png", True), ("text/plain", True), ("image/svg+xml", False), ("text/html", False)],
)
async def test_a_file_is_kept_and_had_back(db: Database, media_type: str, shown: bool) -> None:
    """As what it is, but not where it could run in the page's name; and below a mount, too."""
    data = b"<script>alert(1)</script>"
    url = f"data:{media_type};base64,{b64encode(data).decode()}"
    file = {"type": "file", "mediaType": media_type, "filename": "a \u00fc\r\n.txt", "url": url}
    llm = Script([say("Seen.")], [say("Seen again.")])
    async with served([Mount("/chats", routes=chat_routes(db, llm, owner=me))]) as web:
        made = (await web.post("/chats/new", json={})).json()
        message = {"id": "m1", "role": "user", "parts": [file, {"type": "text", "text": "?"}]}
        await web.post("/chats/", json={"id": made["id"], "messages": [message]})
        asked = (await web.get(f"/chats/{made['id']}")).json()["messages"][0]
        kept = asked["parts"][0]
        had = await web.get(kept["url"])
        body = {"id": made["id"], "messages": [asked], "messageId": asked["id"]}
        edited = await web.post("/chats/", json=body)
        again = (await web.get(f"/chats/{made['id']}")).json()["messages"]
    assert kept == {**file, "url": kept["url"]}
    assert had.content == data
    assert had.headers["content-type"].startswith(
        media_type if shown else "application/octet-stream"
    )
    assert had.headers["content-disposition"].startswith("inline" if shown else "attachment")
    assert had.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in had.headers["content-security-policy"]
    assert text_of(edited.text) == "Seen again."
    assert [it["parts"][0] for it in again if it["role"] == "user"] == [kept]
    assert llm.requests[1][0].parts[0].content[1].data == data  # type: ignore[union-attr, index]


async def test_a_page_of_history_costs_the_same_however_long_the_chat(db: Database) -> None:
    statements: list[str] = []
    llm = Script(
        *([[call("add", a=n, b=1)], [say(f"It is {n + 1}.")]][m] for n in range(40) for m in (0, 1))
    )
    taken = []
    async with served(chat_routes(db, llm, owner=me, tools=[add])) as web:
        made = (await web.post("/new", json={})).json()
        for n in range(40):
            await web.post("/", json={"id": made["id"], "text": f"{n} + 1?"})
            if n in (12, 39):
                statements.clear()
                event.listen(
                    db.engine.sync_engine,
                    "before_cursor_execute",
                    (listener := lambda *told: statements.append(told[2])),
                )
                page = (await web.get(f"/{made['id']}", params={"limit": 20})).json()
                event.remove(db.engine.sync_engine, "before_cursor_execute", listener)
                taken.append((len(page["messages"]), len(statements)))
    assert taken[0] == taken[1]
    assert taken[0][0] == 20
    assert taken[0][1] <= 12, statements


async def test_an_ag_ui_client_sends_files_too(db: Database) -> None:
    source = {"type": "data", "value": b64encode(b"Hello").decode(), "mimeType": "text/plain"}
    content = [{"type": "text", "text": "?"}, {"type": "document", "source": source}]
    llm = Script([say("Seen.")])
    async with served(chat_routes(db, llm, owner=me)) as web:
        made = (await web.post("/new", json={})).json()
        run = {"threadId": made["id"], "runId": "r-1"}
        body = {**run, "messages": [{"id": "m1", "role": "user", "content": content}]}
        told = await web.post("/", json=body)
        elsewhere = {"type": "url", "value": "http://127.0.0.1/", "mimeType": "text/plain"}
        content[1] = {"type": "document", "source": elsewhere}
        refused = await web.post("/", json=body)
    assert "Seen." in told.text
    assert llm.requests[0][0].parts[0].content[1].data == b"Hello"  # type: ignore[union-attr, index]
    assert refused.status_code == 422


async def test_a_file_that_is_too_large_is_refused(db: Database) -> None:
    limits = Limits(attachment_bytes=10)
    url = f"data:image/png;base64,{b64encode(bytes(20)).decode()}"
    parts = [{"type": "text", "text": "?"}, {"type": "file", "url": url}]
    async with served(chat_routes(db, Script(), owner=me, limits=limits)) as web:
        made = (await web.post("/new", json={})).json()
        body = {"id": made["id"], "messages": [{"role": "user", "parts": parts}]}
        told = await web.post("/", json=body)
        stored = (await web.get(f"/{made['id']}")).json()
    assert (told.status_code, told.json()["error"]["code"]) == (413, "too_large")
    assert stored["messages"] == []


async def test_text_that_is_not_utf8_is_reported_anyway(db: Database) -> None:
    odd = "a lone \ud800 surrogate, \x00 and \u2028"

    def nothing() -> float:
        return float("nan")

    llm = Script([call("nothing")], [say(odd)])
    async with served(chat_routes(db, llm, owner=me, tools=[nothing])) as web:
        made = (await web.post("/new", json={})).json()
        told = await web.post("/", json={"id": made["id"], "text": "?"})
        stored = (await web.get(f"/{made['id']}")).json()
    assert text_of(told.text) == odd
    assert stored["messages"][1]["parts"][-1]["text"] == odd


@pytest.mark.parametrize("path", ["/chats", "/chats/"])
async def test_routes_can_be_mounted(db: Database, path: str) -> None:
    routes = [Mount("/chats", routes=chat_routes(db, Script([say("Yes.")]), owner=me))]
    async with served(routes) as web:
        made = (await web.post("/chats/new", json={})).json()
        told = await web.post(path, json={"id": made["id"], "text": "?"}, follow_redirects=True)
    assert text_of(told.text) == "Yes."


async def test_routes_are_fastapis_too(db: Database) -> None:
    from fastapi import FastAPI

    app = FastAPI()
    app.router.routes.extend(chat_routes(db, Script([say("Yes.")]), owner=me, prefix="/chats"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as web:
        made = (await web.post("/chats/new", json={})).json()
        told = await web.post("/chats", json={"id": made["id"], "text": "?"})
    assert text_of(told.text) == "Yes."
