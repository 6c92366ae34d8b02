"""What is given wrongly is told by name, with what to do, and nothing is written."""

from __future__ import annotations

import functools
import math
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic_ai import ImageUrl
from sqlalchemy import func, select
from starlette.applications import Starlette

from chatrecord import Attachment, Budget, Compact, Limits, Window
from chatrecord.errors import ChatNotFound, ConfigurationError, RunNotFound
from chatrecord.pydantic_ai import Persisted
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    import_history,
    list_chats,
    load_chat,
    rotate,
    sync,
    usage,
)
from chatrecord.sqlalchemy.tables import Chat, Message, Run
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes


def hello() -> str:
    return "hello"


OF_A_CHAT: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"title": 5}, TypeError, r"title= takes text, not int: pass str\(title\)"),
    ({"title": " "}, ValueError, "title= is blank: pass None to take it away"),
    ({"title": "x" * 256}, ValueError, "title= takes at most 255 characters, not 256"),
    ({"instructions": 5}, TypeError, "instructions= takes text, not int"),
    ({"metadata": [1]}, TypeError, "metadata= takes a mapping of JSON values, not list"),
    ({"metadata": {"a": object()}}, TypeError, r"metadata\['a'\] is object, which JSON has not"),
    ({"metadata": {"a": [{"b": {1}}]}}, TypeError, r"metadata\['a'\]\[0\]\['b'\] is set"),
    ({"metadata": {5: "a"}}, TypeError, "metadata has the key 5: keys of JSON are text"),
    ({"metadata": {"a": {None: 1}}}, TypeError, r"metadata\['a'\] has the key None"),
    ({"metadata": {"a": math.nan}}, ValueError, r"metadata\['a'\] is nan, which JSON has not"),
    ({"metadata": {"a": -math.inf}}, ValueError, r"metadata\['a'\] is -inf"),
    ({"metadata": {"a": 10**5000}}, ValueError, r"metadata\['a'\] is a number of 16610 bits"),
    ({"metadata": {"a": Decimal(1)}}, TypeError, r"metadata\['a'\] is Decimal"),
]
OF_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"window": None}, TypeError, "window= takes a Window, not None.*leave it out"),
    ({"limits": None}, TypeError, "limits= takes a Limits, not None"),
    ({"limits": {"steps": 5}}, TypeError, "limits= takes a Limits, not dict"),
    ({"tools": None}, TypeError, "tools= takes a list of functions, not None: leave it out"),
    ({"tools": hello}, TypeError, r"tools= takes a list of functions, not function: pass tools=\["),
    ({"tools": [5]}, TypeError, "A tool is a function"),
    ({"tools": [functools.partial(hello)]}, TypeError, "A tool needs a name"),
    ({"hooks": None}, TypeError, "hooks= takes a list of Hook, not None"),
    ({"hooks": [5]}, TypeError, "hooks= takes instances of"),
    ({"budgets": None}, TypeError, "budgets= takes a list of Budget, not None"),
    ({"budgets": [5]}, TypeError, "budgets= takes a list of Budget"),
    ({"retries": True}, TypeError, "retries= takes a whole number, not bool"),
    ({"retries": "2"}, TypeError, r"retries= takes a whole number, not str: pass int\(retries\)"),
    ({"retries": -1}, ValueError, "retries= takes a number from 0"),
    ({"on_busy": None}, ValueError, "on_busy= is one of .*, not None"),
    ({"any_agent": 1}, TypeError, "any_agent= takes a bool"),
    ({"settings": 5}, TypeError, "settings= takes a Mapping"),
    ({"compact": 5}, TypeError, "compact= takes a Compact"),
    ({"titles": 5}, TypeError, "An LLM is a model string"),
]
OF_A_QUESTION: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"prompt": None}, TypeError, "prompt= takes text, or a list of texts and files, not None"),
    ({"prompt": 5}, TypeError, "prompt= takes text.* not int"),
    ({"prompt": b"Hi"}, TypeError, "prompt= takes text.* not bytes"),
    ({"prompt": {"text": "Hi"}}, TypeError, "prompt= takes text.* not dict"),
    ({"prompt": " \n"}, ValueError, "prompt= is blank"),
    ({"prompt": []}, ValueError, "prompt= is blank"),
    ({"prompt": ["", ""]}, ValueError, "prompt= is blank"),
    ({"prompt": ["Hi", 5]}, TypeError, r"prompt\[1\] is int"),
    ({"prompt": ["Hi", None]}, TypeError, r"prompt\[1\] is None"),
    ({"prompt": [Path("a.pdf")]}, TypeError, "Paths and Attachments go into attachments="),
    ({"attachments": "x"}, TypeError, "attachments= takes a list of files"),
    ({"attachments": Path("x")}, TypeError, "attachments= takes a list of files"),
    ({"attachments": 5}, TypeError, "attachments= takes a list of files, not int"),
    ({"attachments": [5]}, TypeError, "An attachment is"),
    ({"idempotency_key": 5}, TypeError, r"idempotency_key= takes text, not int: pass str\("),
    ({"idempotency_key": ""}, ValueError, "idempotency_key= takes 1 to 255 characters, not 0"),
    ({"idempotency_key": "x" * 256}, ValueError, "idempotency_key= takes 1 to 255 characters"),
    ({"idempotency_key": "\x00" * 60}, ValueError, "idempotency_key= takes 1 to 255"),
    ({"output_type": "bool"}, TypeError, "output_type= takes a type.*not 'bool'"),
    ({"output_type": 5}, TypeError, "output_type= takes a type"),
]


async def _rows(backend: Database) -> list[int]:
    async with backend.engine.connect() as connection:
        counted = [select(func.count()).select_from(model) for model in (Chat, Run, Message)]
        return [(await connection.execute(statement)).scalar_one() for statement in counted]


@pytest.mark.parametrize(("given", "kind", "told"), OF_A_CHAT + OF_OPTIONS)
async def test_a_chat_is_not_made_of_the_wrong_things(
    backend: Database, given: dict[str, Any], kind: type[Exception], told: str
) -> None:
    before = await _rows(backend)

    with pytest.raises(kind, match=told):
        await create_chat(backend, Script(), **given)

    assert await _rows(backend) == before


@pytest.mark.parametrize(("given", "kind", "told"), OF_OPTIONS)
async def test_a_chat_is_not_loaded_with_the_wrong_things(
    db: Database, given: dict[str, Any], kind: type[Exception], told: str
) -> None:
    chat = await create_chat(db, Script())

    with pytest.raises(kind, match=told):
        await load_chat(db, Script(), chat.id, **given)


@pytest.mark.parametrize(("given", "kind", "told"), OF_A_CHAT)
async def test_a_history_is_not_imported_with_the_wrong_things(
    db: Database, given: dict[str, Any], kind: type[Exception], told: str
) -> None:
    messages = [{"role": "user", "content": "Hi!"}]

    with pytest.raises(kind, match=told):
        await import_history(db, messages, format="openai", **given)

    assert await list_chats(db) == []


@pytest.mark.parametrize(("given", "kind", "told"), OF_A_QUESTION)
async def test_a_question_is_not_asked_with_the_wrong_things(
    backend: Database, given: dict[str, Any], kind: type[Exception], told: str
) -> None:
    chat = await create_chat(backend, Script([say("hi")], [say("ho")]))
    await chat.ask("Hi!")
    (question, _) = await chat.messages()
    before = await _rows(backend)

    with pytest.raises(kind, match=told):
        await chat.ask(**{"prompt": "Hi!", **given})
    with pytest.raises(kind, match=told):
        await chat.stream(**{"prompt": "Hi!", **given})
    if "idempotency_key" not in given:
        with pytest.raises(kind, match=told):
            await chat.edit(question.id, **{"prompt": "Hi!", **given})

    assert await _rows(backend) == before
    assert (await chat.ask("And now?")).text == "ho"


async def test_what_is_asked_of_a_chat_is_checked_too(backend: Database) -> None:
    chat = await create_chat(backend, Script([say("hi")]))
    await chat.ask("Hi!")
    wrong: list[tuple[Callable[[Any], Awaitable[Any]], Any, str]] = [
        (chat.rename, 5, "title= takes text"),
        (lambda it: chat.generate_title(instructions=it), 5, "instructions= takes text"),
        (lambda it: chat.messages(limit=it), "5", r"limit= takes a whole number, not str"),
        (lambda it: chat.messages(limit=it), True, "limit= takes a whole number, not bool"),
        (lambda it: chat.messages(before=it), "5", "before= takes a whole number"),
        (chat.attachment, 5, "file_hash= takes text"),
        (chat.approve, 5, "call_id= takes text"),
        (lambda it: chat.deny("c", reason=it), 5, "reason= takes text"),
        (lambda it: list_chats(backend, limit=it), "5", "limit= takes a whole number"),
        (lambda it: list_chats(backend, search=it), 5, "search= takes text"),
        (lambda it: list_chats(backend, before=it), 5, "before= takes the last ChatRecord"),
        (
            lambda it: load_chat(backend, Script(), it),
            5,
            "chat_id= takes a UUID or its text, not int",
        ),
        (lambda it: load_chat(backend, Script(), it), None, "chat_id= takes a UUID or its text"),
        (lambda it: delete_chat(backend, it), 5, "chat_id= takes a UUID or its text"),
        (lambda it: anext(export_chat(backend, it)), 5, "chat_id= takes a UUID or its text"),
        (lambda it: usage(backend, by=it), None, "by= takes a list of names"),
        (lambda it: usage(backend, since=it), "2026", "since= takes a datetime, not str"),
    ]

    for door, value, told in wrong:
        with pytest.raises(TypeError, match=told):
            await door(value)
    for door, value in (
        (lambda it: chat.messages(limit=it), 0),
        (lambda it: chat.messages(limit=it), 2**40),
        (lambda it: list_chats(backend, limit=it), 0),
    ):
        with pytest.raises(
            ValueError, match=r"limit= takes (a number from 1 on|at most 2,147,483,647)"
        ):
            await door(value)
    for nobody in ("nonsense", 5, uuid4()):
        with pytest.raises(RunNotFound, match=f"no run {nobody}"):
            await chat.follow(nobody)  # type: ignore[arg-type]
    with pytest.raises(ChatNotFound):
        await load_chat(backend, Script(), "nonsense")


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (lambda: Limits(steps="5"), TypeError, r"Limits\(steps=...\) takes a number, not str"),
        (lambda: Limits(total_timeout=True), TypeError, r"Limits\(total_timeout=...\) .* bool"),
        (lambda: Limits(idle_timeout=math.nan), ValueError, "from 0 on, not nan"),
        (lambda: Limits(cost=Decimal("NaN")), ValueError, "from 0 on"),
        (lambda: Window(messages="5"), TypeError, r"Window\(messages=...\) takes a whole number"),
        (lambda: Window(tokens=0), ValueError, r"Window\(tokens=...\) takes a number from 1"),
        (lambda: Compact(above=None), TypeError, r"Compact\(above=...\) takes a whole number"),
        (lambda: Compact(instructions=5), TypeError, r"Compact\(instructions=...\) takes text"),
        (lambda: Budget(tokens="5"), TypeError, r"Budget\(tokens=...\) takes a number, not str"),
        (lambda: Budget(tokens=5, by=7), TypeError, r"Budget\(by=...\) takes text"),
        (lambda: Budget(tokens=5, per="year"), ValueError, r"Budget\(per=...\) is one of 'hour'"),
        (lambda: Budget(cost=1, most=-1), ValueError, r"Budget\(most=...\) .* from 0 on"),
        (lambda: Database("sqlite://", models=5), ConfigurationError, "models= takes"),
        (lambda: Database("sqlite://", lease=5), ConfigurationError, "lease= must be a positive timedelta"),
        (lambda: Persisted(Database("sqlite://"), chat_id=5), TypeError, "chat_id= takes a UUID"),
        (lambda: Persisted(Database("sqlite://"), limits=5), TypeError, "limits= takes a Limits"),
        (lambda: Persisted(Database("sqlite://"), retries=True), TypeError, "retries= takes"),
        (lambda: Persisted(Database("sqlite://"), on_busy="no"), ValueError, "on_busy= is one of"),
        (
            lambda: chat_routes(Database("sqlite://"), "test", owner=hello, limits=5),
            TypeError,
            "limits= takes a Limits",
        ),
    ],
)  # fmt: skip
def test_a_wrong_setup_is_reported_at_once(
    make: Callable[[], object], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told):
        make()


async def test_a_title_is_kept_as_rename_would_keep_it(backend: Database) -> None:
    chat = await create_chat(backend, Script(), title="  Travel policy \n")

    assert chat.title == "Travel policy"
    record = await import_history(
        backend, [{"role": "user", "content": "Hi!"}], format="openai", title=" Old "
    )
    assert record.title == "Old"


def test_synchronous_code_gets_the_same_error(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'plain.db'}")
    sync.wait(db.create_tables())
    chat = sync.create_chat(db, Script([say("hi")]))

    with pytest.raises(TypeError, match="title= takes text"):
        sync.create_chat(db, Script(), title=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="prompt= is blank"):
        chat.ask(["", ""])
    with pytest.raises(TypeError, match="limit= takes a whole number"):
        sync.list_chats(db, limit="5")  # type: ignore[arg-type]

    assert chat.ask("Hi!").text == "hi"
    sync.wait(db.close())


async def test_a_client_is_told_what_is_wrong_with_its_body(backend: Database) -> None:
    user = str(uuid4())
    routes = chat_routes(backend, Script([say("hi")]), owner=lambda _: {"user_id": user})
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
        for body in (
            {"title": 5},
            {"title": " "},
            {"title": "x" * 256},
            {"metadata": [1]},
            {"metadata": 5},
        ):
            refused = await page.post("/new", json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_body")
        chat = (await page.post("/new", json={"title": " Q3 "})).json()
        assert chat["title"] == "Q3"
        for body in ({"text": 5}, {"text": ""}, {"text": "Hi!", "key": 5}, {"text": ["", ""]}):
            asked = await page.post("/", json={"id": chat["id"], **body})
            assert asked.status_code == 422, body
        for query in ("limit=0", "limit=x", "limit=-1", "before=x"):
            assert (await page.get(f"/?{query}")).status_code in (400, 422), query
    (record,) = await list_chats(backend, user_id=user)
    assert await (await load_chat(backend, Script(), record.id)).messages() == []


async def test_a_wrong_type_is_reported_by_name(backend: Database) -> None:
    anything: Any = 5
    with pytest.raises(TypeError, match=r"lines= takes an iterable of lines.*not int"):
        await import_chat(backend, anything)
    with pytest.raises(TypeError, match=r"rotate\(\) takes a Database first, not int"):
        await rotate(anything)
    with pytest.raises(ConfigurationError, match=r"tools= contains a tool .*Exception"):
        await create_chat(backend, Script(), tools=[Exception])
    for name in ("media_type", "name"):
        given = {name: anything}
        with pytest.raises(TypeError, match=rf"Attachment\({name}=...\) takes text, not int"):
            Attachment(data=b"x", **given)
    for name in ("url", "path"):
        with pytest.raises(TypeError, match=rf"Attachment\({name}=...\) takes .*, not int"):
            Attachment(**{name: anything})


async def test_a_prompt_that_is_nested_too_deep_is_refused(backend: Database) -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    chat = await create_chat(backend, Script([say("hi")]))

    with pytest.raises(ValueError, match="may be nested too deep, such as in a vendor_metadata"):
        await chat.ask([ImageUrl(url="https://x.test/y.png", vendor_metadata={"a": deep})])

    assert (await chat.ask("Hi!")).text == "hi"
    assert [message.role for message in await chat.messages()] == ["user", "assistant"]


async def test_valid_input_is_still_accepted(backend: Database) -> None:
    """Tuples for lists, whole numbers for decimals, and nothing where nothing is meant."""
    metadata = {"a": (1, 2), "deep": {"b": [None, True, 0.5, "x"]}}
    options = {"tools": (), "hooks": (), "settings": None, "compact": None, "titles": None}
    chat = await create_chat(
        backend, Script([say("hi")], [say("ho")]), metadata=metadata, title=None, **options
    )

    assert chat.metadata == {"a": [1, 2], "deep": {"b": [None, True, 0.5, "x"]}}
    assert (await chat.ask(["Hi!", ""], attachments=[])).text == "hi"
    assert (await chat.ask("Hi!", idempotency_key="x" * 255)).text == "ho"
