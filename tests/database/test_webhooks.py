"""Webhooks against a real receiver: signed, in order, resumed, retried, given up, sent by one."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from chatrecord.cli import main
from chatrecord.errors import ConfigurationError
from chatrecord.events import NewEvent
from chatrecord.sqlalchemy import Database
from chatrecord.testing.look import until
from chatrecord.webhooks import deliveries, relay
from chatrecord.webhooks.endpoint import Endpoint
from chatrecord.webhooks.relay import Relay, _NotMine

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "B" * 32


@dataclass
class Receiver:
    """A server that keeps what it gets. `answers` says what it answers to an event."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: Callable[[dict[str, Any]], int] = lambda _: 204

    @property
    def ids(self) -> list[int]:
        return [body["data"]["id"] for body in self.taken]

    async def has(self, number: int) -> bool:
        return len(set(self.ids)) >= number


@contextmanager
def receiver(path: str = "/hooks?of=us") -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == path
            data = self.rfile.read(int(self.headers["content-length"]))
            body = json.loads(data)
            found.got.append((dict(self.headers), data))
            status = found.answers(body)
            if 200 <= status < 300:
                found.taken.append(body)
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("location", found.url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}{path}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def to() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once."""
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(deliveries, "LONGEST_PAUSE", 0.02)


async def happen(db: Database, chats: int, each: int) -> list[UUID]:
    """Events of some chats, one after the other in turns."""
    ids = [uuid4() for _ in range(chats)]
    for number in range(each):
        for chat_id in ids:
            await db.store.add_event(
                NewEvent("run.complete", chat_id, uuid4(), number, {"n": number})
            )
    return ids


@asynccontextmanager
async def relaying(db: Database, to: Receiver, **options: Any) -> AsyncIterator[None]:
    options = {"secrets": [SECRET], "lease": timedelta(seconds=2), "timeout": 5, **options}
    work = asyncio.ensure_future(relay(db, to.url, **options))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def in_order(found: Receiver) -> dict[str, list[int]]:
    told: dict[str, list[int]] = defaultdict(list)
    for body in found.taken:
        told[body["data"]["chat_id"]].append(body["data"]["n"])
    return told


async def test_a_receiver_verifies_what_it_gets(db: Database, to: Receiver) -> None:
    """By the package of the scheme, with either of two secrets, and it fails if a byte differs."""
    (chat_id,) = await happen(db, 1, 1)
    await relay(db, to.url, secrets=[OTHER, SECRET], once=True)
    (event,) = [event async for event in db.events(follow=False)]

    ((headers, body),) = to.got
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(
            body.replace(b"run.complete", b"run.failed"),
            {name.lower(): value for name, value in headers.items()},
        )
    assert headers["webhook-id"] == f"evt_{event.uuid.hex}"
    (told,) = to.taken
    assert (told["type"], told["data"]["chat_id"]) == ("run.complete", str(chat_id))
    assert told["data"] == {
        "id": event.id, "chat_id": str(chat_id), "run_id": str(event.run_id), "n": 0
    }  # fmt: skip


async def test_what_happens_is_sent_once_and_in_order(own_url: str, to: Receiver) -> None:
    async with Database(own_url) as db, relaying(db, to):
        chats = await happen(db, 3, 4)
        await until(lambda: to.has(12))
        await asyncio.sleep(0.2)

    assert in_order(to) == {str(chat_id): [0, 1, 2, 3] for chat_id in chats}
    assert len(to.got) == 12


@pytest.mark.usefixtures("soon")
async def test_a_chat_whose_events_fail_holds_up_no_other(db: Database, to: Receiver) -> None:
    """Its own wait in their order. Then they come, as often as it took."""
    async with relaying(db, to):
        bad, *_ = chats = await happen(db, 3, 3)
        recovered = threading.Event()
        refused = str(bad)
        to.answers = lambda body: (
            500 if body["data"]["chat_id"] == refused and not recovered.is_set() else 200
        )
        await until(lambda: to.has(6))
        recovered.set()
        await until(lambda: to.has(9))

    assert in_order(to) == {str(chat_id): [0, 1, 2] for chat_id in chats}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("status", [307, 404, 500, 204])
async def test_an_event_that_is_not_taken_is_given_up(
    db: Database, to: Receiver, status: int
) -> None:
    """A redirect is not followed: what is behind it gets nothing."""
    await happen(db, 1, 2)
    to.answers = lambda body: status if body["data"]["n"] == 0 else 200
    async with relaying(db, to, give_up_after=timedelta(0)):
        await until(lambda: to.has(1 if status != 204 else 2))

    assert [body["data"]["n"] for body in to.taken] == ([1] if status != 204 else [0, 1])
    assert len(to.got) == 2


async def test_a_receiver_that_hangs_or_is_not_there_costs_its_time_only(db: Database) -> None:
    await happen(db, 2, 1)
    let_go = threading.Event()
    with receiver() as to:
        to.answers = lambda _: 200 if let_go.wait(60) else 500
        await relay(db, to.url, secrets=[SECRET], timeout=0.2, once=True)
        let_go.set()
        gone = to.url
    await relay(db, gone, secrets=[SECRET], name="gone", once=True)
    with receiver() as to:
        await relay(db, to.url, secrets=[SECRET], once=True)
        assert len(to.taken) == 2


async def test_of_several_relays_one_works_at_a_time(own_url: str, to: Receiver) -> None:
    """And another goes on where it was when that one ends."""
    async with Database(own_url) as one, Database(own_url) as two:
        named = {"name": "crm"}
        async with relaying(two, to, **named):
            async with relaying(one, to, **named):
                await happen(one, 2, 5)
                await until(lambda: to.has(10))
            await happen(one, 2, 5)
            await until(lambda: to.has(20))
            await asyncio.sleep(0.2)

    assert len(to.got) == 20
    assert sorted(to.ids) == sorted(set(to.ids))


async def test_a_killed_relay_goes_on_where_it_was(own_url: str, to: Receiver) -> None:
    """What it has sent last may come again; nothing is left out, and each chat is in its order."""
    script = (
        "import asyncio, sys\n"
        "from datetime import timedelta\n"
        "from chatrecord.sqlalchemy import Database\n"
        "from chatrecord.webhooks import relay\n"
        "async def main(url, to, secret):\n"
        "    async with Database(url) as db:\n"
        "        await relay(db, to, secrets=[secret], lease=timedelta(seconds=1), timeout=5)\n"
        "asyncio.run(main(*sys.argv[1:]))\n"
    )
    async with Database(own_url) as db:
        chats = await happen(db, 4, 4)
        to.answers = lambda _: sleep(0.05) or 200  # type: ignore[func-returns-value]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, own_url, to.url, SECRET
        )
        try:
            await until(lambda: to.has(5))
        finally:
            child.send_signal(signal.SIGKILL)
            await child.wait()
        async with relaying(db, to):
            await until(lambda: to.has(16))

    seen = in_order(to)
    assert {chat_id: sorted(set(numbers)) for chat_id, numbers in seen.items()} == {
        str(chat_id): [0, 1, 2, 3] for chat_id in chats
    }
    for numbers in seen.values():
        assert list(dict.fromkeys(numbers)) == [0, 1, 2, 3]


async def test_a_relay_that_was_paused_for_longer_than_its_lease_stops(
    db: Database, to: Receiver
) -> None:
    """Another has the name: what this one has read is not sent by it."""
    store, sent = db.store, list[int]()

    async def send(event: Any) -> Any:
        sent.append(event.id)
        return await endpoint.send(event)

    endpoint = Endpoint(to.url, [SECRET], 5)
    paused = Relay(store, send, "crm", (), timedelta(seconds=0.3), 60)
    assert await paused._claimed()
    await happen(db, 1, 2)
    await paused._read_on()
    await asyncio.sleep(0.4)
    async with relaying(db, to, name="crm"):
        await until(lambda: to.has(2))
        with pytest.raises(_NotMine):
            await paused._save()
    assert sent == []


async def test_a_new_name_may_begin_with_the_next_event(db: Database, to: Receiver) -> None:
    await happen(db, 1, 3)
    await relay(db, to.url, secrets=[SECRET], from_now=True, once=True)
    await happen(db, 1, 1)
    await relay(db, to.url, secrets=[SECRET], from_now=True, once=True)

    assert to.ids == [4]


async def test_only_these_types_are_sent(db: Database, to: Receiver) -> None:
    await happen(db, 1, 2)
    await db.store.add_event(NewEvent("chat.deleted", uuid4()))
    await relay(db, to.url, secrets=[SECRET], types=["chat.deleted"], once=True)

    assert [body["type"] for body in to.taken] == ["chat.deleted"]


@pytest.mark.parametrize(
    ("url", "secret", "says"),
    [
        ("ftp://example.com", SECRET, "https://"),
        ("https://me:pw@example.com", SECRET, "without a password"),
        ("https://example.com:x", SECRET, "https://"),
        ("https://example.com/\nx", SECRET, "https://"),
        ("https://example.com", "hunter2", "whsec_"),
        ("https://example.com", "whsec_c2hvcnQ=", "24 to 64 bytes"),
    ],
)
async def test_what_cannot_work_is_refused_and_no_secret_shown(
    db: Database, url: str, secret: str, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as refused:
        await relay(db, url, secrets=[secret], once=True)
    assert secret not in str(refused.value)


def test_the_command_sends_and_lists(
    tmp_path: Any, to: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    place = str(tmp_path / "chats.db")

    async def made() -> None:
        async with Database(f"sqlite:///{place}") as db:
            await db.create_tables()
            await happen(db, 1, 2)

    asyncio.run(made())
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    command = ["webhooks", "--to", to.url, "--secret-env", "HOOK_SECRET", "--db", place, "--once"]
    assert main(command) == 0
    assert to.ids == [1, 2]
    assert main(["events", "--after", "1", "--json", "--db", place]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["id"], json.loads(line)["type"]) == (2, "run.complete")
    assert main(["events", "--types", "chat.deleted", "--db", place]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.delenv("HOOK_SECRET")
    assert main(command) == 1
    assert "HOOK_SECRET" in capsys.readouterr().err
