"""The router for FastAPI: its dependencies, its document, and that the document tells the truth."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, TypeAdapter
from pydantic_ai import Tool
from pydantic_ai.models import Model

from chatrecord.fastapi import chat_router
from chatrecord.fastapi.operations import OPERATIONS
from chatrecord.fastapi.schemas import (
    AGUIRequest,
    Chat,
    ChatList,
    ChatPage,
    ErrorResponse,
    NewChat,
    OpenCalls,
    PlainQuestion,
    Stopped,
    ToolCallApproval,
    ToolCallDenial,
    UpdatedChat,
    UseChatRequest,
)
from chatrecord.sqlalchemy import Database, list_chats
from chatrecord.testing import Script, call, say
from chatrecord.web.routes import ROUTES


@dataclass(frozen=True)
class User:
    """A user as an application has them."""

    name: str
    is_admin: bool = False


def signed_in(x_user: Annotated[str | None, Header()] = None) -> User:
    if x_user is None:
        raise HTTPException(401, "Please sign in.")
    return User(x_user, is_admin=x_user == "root")


def columns(user: User) -> dict[str, object]:
    return {"user_id": user.name}


def pay(euros: int) -> str:
    """Pay so much."""
    return f"paid {euros}"


@asynccontextmanager
async def served(app: FastAPI, user: str = "ann") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"x-user": user}
    ) as client:
        yield client


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}") as db:
        await db.create_tables()
        yield db


def application(db: Database, llm: object, **options: Any) -> FastAPI:
    app = FastAPI()
    options = {"owner": Depends(signed_in), "scope": columns} | options
    app.include_router(chat_router(db, llm, **options), prefix="/api")
    return app


def answer(model: type[BaseModel], response: httpx.Response, status: int = 200) -> Any:
    """The body, which is what the document says: no field less and none more."""
    assert response.status_code == status, response.text
    model.model_validate_json(response.content)
    return response.json()


def body(model: type[BaseModel], **fields: object) -> dict[str, object]:
    """A body that is what the document says."""
    model.model_validate(fields)
    return fields


async def test_every_response_is_what_the_document_says(db: Database) -> None:
    script = Script([call("pay", "pay-1", euros=90)], [say("It is ", "paid.")])
    app = application(db, script, tools=[Tool(pay, requires_approval=True)])
    async with served(app) as page:
        created = await page.post("/api/chats/new", json=body(NewChat, title="Travel"))
        chat = answer(Chat, created, 201)
        path = f"/api/chats/{chat['id']}"

        asked = await page.post("/api/chats", json=body(PlainQuestion, id=chat["id"], text="Pay!"))
        assert asked.headers["content-type"].startswith("text/event-stream")

        parked = answer(ChatPage, await page.get(path))
        assert parked["pendingApprovals"][0]["arguments"] == {"euros": 90}
        decision = body(ToolCallApproval, callId="pay-1")
        answer(OpenCalls, await page.post(f"{path}/approve", json=decision))
        resumed = await page.post(f"{path}/resume")
        assert "paid." in resumed.text

        denial = body(ToolCallDenial, callId="pay-1", reason="Too late.")
        answer(ErrorResponse, await page.post(f"{path}/deny", json=denial), 404)
        answer(Stopped, await page.post(f"{path}/stop"))
        renamed = await page.patch(path, json=body(UpdatedChat, title=None))
        assert answer(Chat, renamed)["title"] is None
        assert len(answer(ChatList, await page.get("/api/chats"))["chats"]) == 1
        assert (await page.get(f"{path}/stream")).status_code == 204
        answer(ErrorResponse, await page.get(f"{path}/files/{64 * 'a'}"), 404)
        assert (await page.delete(path)).status_code == 204
        answer(ErrorResponse, await page.get(path), 404)
        answer(ErrorResponse, await page.post("/api/chats/new", json={"title": 5}), 422)


@pytest.mark.parametrize(
    "question",
    [
        body(PlainQuestion, id="c-1", text="Hello?", key="q-1"),
        body(
            UseChatRequest,
            id="c-1",
            messages=[{"id": "q-1", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}],
        ),
        body(
            AGUIRequest,
            threadId="c-1",
            runId="r-1",
            messages=[{"id": "q-1", "role": "user", "content": "Hello?"}],
        ),
    ],
    ids=["plain", "useChat", "AG-UI"],
)
async def test_each_body_of_the_document_is_answered(
    db: Database, question: dict[str, object]
) -> None:
    app = application(db, Script([say("Hello, Ann.")]), create_on_first_message=True)
    async with served(app) as page:
        streamed = await page.post("/api/chats", json=question)
        assert streamed.status_code == 200
        assert "Hello, Ann." in streamed.text


async def test_the_document_has_every_route_and_can_be_read_on_its_own(db: Database) -> None:
    document = application(db, "test").openapi()
    found = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert found == {(route.method, f"/api/chats{route.path}") for route in ROUTES}
    assert OPERATIONS.keys() == {route.name for route in ROUTES}

    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    references = set(json.dumps(document).split('"$ref": "')[1:])
    parts = document["components"]["schemas"]
    assert {ref.split('"')[0].removeprefix("#/components/schemas/") for ref in references} <= set(
        parts
    )
    assert TypeAdapter(dict[str, Any]).validate_python(parts["ChatPage"])["required"] == [
        "chat",
        "messages",
        "next",
        "pendingApprovals",
        "activeRun",
    ]


async def test_an_error_of_a_dependency_is_the_response(db: Database) -> None:
    async with served(application(db, "test")) as page:
        del page.headers["x-user"]
        refused = await page.get("/api/chats")
    assert refused.status_code == 401
    assert refused.json() == {"detail": "Please sign in."}


async def test_nobody_sees_the_chats_of_another(db: Database) -> None:
    app = application(db, "test")
    async with served(app, "ann") as ann, served(app, "bob") as bob:
        chat = (await ann.post("/api/chats/new", json={})).json()
        assert (await bob.get(f"/api/chats/{chat['id']}")).status_code == 404
        assert (await bob.get("/api/chats")).json()["chats"] == []
    assert [found.id.hex for found in await list_chats(db, user_id="ann")] == [
        chat["id"].replace("-", "")
    ]


@pytest.mark.parametrize("nobody", [None, {}, {"user_id": None}])
async def test_an_owner_without_columns_is_nobody(
    db: Database, nobody: dict[str, object] | None
) -> None:
    async with served(application(db, "test", owner=lambda: nobody, scope=None)) as page:
        assert (await page.get("/api/chats")).status_code == 401


async def test_the_scope_can_be_looked_up_asynchronously(db: Database) -> None:
    """Also by routes that ask for it more than once."""

    async def looked_up(user: User) -> dict[str, object]:
        return {"user_id": user.name}

    app = application(db, "test", scope=looked_up)
    async with served(app, "ann") as ann, served(app, "bob") as bob:
        path = f"/api/chats/{(await ann.post('/api/chats/new', json={})).json()['id']}"
        changed = await ann.patch(path, json={"title": "Mine"})
        assert changed.status_code == 200, changed.text
        assert (await bob.patch(path, json={"title": "His"})).status_code == 404
        assert (await ann.get(path)).json()["chat"]["title"] == "Mine"


async def test_the_llm_and_the_options_can_be_dependencies(db: Database) -> None:
    def llm(user: Annotated[User, Depends(signed_in)]) -> Model:
        return Script([call("who", "who-1")], [say(f"Hello, {user.name}.")])

    def options(user: Annotated[User, Depends(signed_in)]) -> dict[str, object]:
        def who() -> str:
            """Who asks."""
            return f"It is {user.name}."

        return {"tools": [who]}

    app = application(db, Depends(llm), options=Depends(options))
    async with served(app, "bob") as page:
        chat = (await page.post("/api/chats/new", json={})).json()
        question = {"id": chat["id"], "text": "Who am I?"}
        streamed = await page.post("/api/chats", json=question, headers={"x-chat-protocol": "sse"})
    assert "It is bob." in streamed.text
    assert "Hello, bob." in streamed.text


async def test_the_dependencies_and_middleware_of_the_application_hold(db: Database) -> None:
    def only_admins(user: Annotated[User, Depends(signed_in)]) -> None:
        if not user.is_admin:
            raise HTTPException(403, "Only for administrators.")

    app = FastAPI(dependencies=[Depends(only_admins)])
    app.include_router(chat_router(db, "test", owner=signed_in, scope=columns), prefix="/admin")

    @app.middleware("http")
    async def stamped(request: Request, following: Callable[..., Awaitable[Response]]) -> Response:
        response = await following(request)
        response.headers["x-stamp"] = "seen"
        return response

    async with served(app) as ann, served(app, "root") as root:
        assert (await ann.get("/admin/chats")).status_code == 403
        listed = await root.get("/admin/chats")
    assert listed.status_code == 200
    assert listed.headers["x-stamp"] == "seen"


async def test_a_dependency_that_is_replaced_in_a_test_is_replaced_here(db: Database) -> None:
    app = application(db, "test")
    app.dependency_overrides[signed_in] = lambda: User("carl")
    async with served(app) as page:
        await page.post("/api/chats/new", json={})
    assert len(await list_chats(db, user_id="carl")) == 1


def test_a_router_without_an_owner_is_refused(db: Database) -> None:
    with pytest.raises(TypeError, match=r"chat_router\(\) needs owner=: Depends"):
        chat_router(db, "test", owner=None)
    with pytest.raises(TypeError, match=r"chat_router\(\) got unknown options \['colour'\]"):
        chat_router(db, "test", owner=signed_in, colour="red")
    with pytest.raises(TypeError, match="options= or the options themselves"):
        chat_router(db, "test", owner=signed_in, options=Depends(dict), on_busy="wait")
