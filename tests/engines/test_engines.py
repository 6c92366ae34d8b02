"""Each engine carries runs to real workers, over its real broker, and past their deaths."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url

from chatrecord.engines import dispatch_queued
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script
from conftest import _database_on

from .brokers import delete_queue, delete_stream
from .worker import WORDS, database

WHOLE = "".join(WORDS)
TESTS = Path(__file__).parents[1]
Dispatch = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class Engine:
    """An engine, its broker, and what starts one of its workers."""

    package: str
    broker: str
    port: int
    arguments: tuple[str, ...]


ENGINES = {
    "procrastinate": Engine(
        "procrastinate",
        "",
        5432,
        ("procrastinate", "--app=engines.procrastinate_worker.app", "worker", "--queues={queue}"),
    ),
    "celery-rabbitmq": Engine(
        "celery",
        "amqp://guest:guest@127.0.0.1:5672//",
        5672,
        ("celery", "-A", "engines.celery_worker", "worker", "-Q", "{queue}", "-c", "2", "-P", "prefork"),
    ),
    "celery-redis": Engine(
        "celery",
        "redis://127.0.0.1:6379/0",
        6379,
        ("celery", "-A", "engines.celery_worker", "worker", "-Q", "{queue}", "-c", "2", "-P", "prefork"),
    ),
    "taskiq-nats": Engine(
        "taskiq_nats",
        "nats://127.0.0.1:4222",
        4222,
        ("taskiq", "worker", "engines.taskiq_worker:broker", "--workers=1"),
    ),
    "taskiq-redis": Engine(
        "taskiq_redis",
        "redis://127.0.0.1:6379",
        6379,
        ("taskiq", "worker", "engines.taskiq_worker:broker", "--workers=1"),
    ),
    "dbos": Engine("dbos", "", 5432, ("engines.dbos_worker",)),
}  # fmt: skip


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    found = ENGINES[request.param]
    if find_spec(found.package) is None:
        pytest.skip(f"{found.package} is not installed")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", found.port), 1):
        return found
    pytest.skip(f"nothing answers on port {found.port}")


@pytest.fixture
def url(postgresql_url: str) -> Iterator[str]:
    """A database of its own, which has the tables of the engine, too."""
    server = make_url(postgresql_url).set(drivername="postgresql+psycopg")
    yield from _database_on(server, "postgres")


class Site:
    """A web process, and workers that may be killed."""

    def __init__(self, engine: Engine, url: str, folder: Path) -> None:
        self.engine = engine
        self.db = Database(url)
        self.dispatch: Dispatch
        self._queue = f"chats-{uuid4().hex[:8]}"
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []
        self._environment = os.environ | {
            "CHATS_URL": url,
            "CHATS_QUEUE": self._queue,
            "CHATS_BROKER": engine.broker,
            "CHATS_BOOKED": str(folder / "booked"),
            "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)]),
        }

    @property
    def booked(self) -> list[str]:
        file = self._folder / "booked"
        return file.read_text().split() if file.exists() else []

    def start_worker(self) -> None:
        arguments = [part.format(queue=self._queue) for part in self.engine.arguments]
        with (self._folder / f"worker{len(self._workers)}.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._workers.append(worker)

    def logs(self) -> str:
        """The last that the workers have said."""
        return "".join(log.read_text()[-4000:] for log in self._folder.glob("*.log"))

    def kill_worker(self) -> None:
        """With everything that it has started, as a machine dies."""
        worker = self._workers.pop()
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def close(self) -> None:
        while self._workers:
            self.kill_worker()

    @asynccontextmanager
    async def web_process(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self.dispatch = await _dispatch(self, stack)
            async with self.db:
                yield

    async def ask(self, prompt: str) -> tuple[Any, UUID]:
        chat = await create_chat(self.db, Script())
        run_id = await chat.submit(prompt)
        await self.dispatch(run_id)
        return chat, run_id


async def _dispatch(site: Site, stack: AsyncExitStack) -> Dispatch:
    """How a web process hands over a run."""
    queue, url = site._queue, site.db.engine.url
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    if site.engine.package == "procrastinate":
        from procrastinate import App, PsycopgConnector

        from chatrecord.engines.procrastinate import ProcrastinateAnswers

        app = App(connector=PsycopgConnector(conninfo=plain))
        await stack.enter_async_context(app.open_async())
        await app.schema_manager.apply_schema_async()
        return ProcrastinateAnswers(app, site.db, _unused, queue=queue).dispatch
    if site.engine.package == "celery":
        from celery import Celery

        from chatrecord.engines.celery import CeleryAnswers

        celery = Celery(broker=site.engine.broker, set_as_current=False)
        stack.callback(celery.close)
        stack.callback(delete_queue, celery, queue)
        return CeleryAnswers(celery, database, _unused, queue=queue).dispatch
    if site.engine.package == "dbos":
        from dbos import DBOSClient, run_dbos_database_migrations

        from chatrecord.engines.dbos import DBOSDispatch

        await asyncio.to_thread(run_dbos_database_migrations, plain)
        client = DBOSClient(system_database_url=plain)
        stack.callback(client.destroy)
        return DBOSDispatch(client, site.db, queue=queue)
    from chatrecord.engines.taskiq import TaskiqAnswers

    from .taskiq_worker import broker_at

    broker = broker_at(site.engine.broker, queue)
    await broker.startup()
    stack.push_async_callback(broker.shutdown)
    stack.push_async_callback(delete_stream, broker, queue)
    return TaskiqAnswers(broker, site.db, _unused).dispatch


def _unused(_chat: object) -> str:
    raise AssertionError("a web process answers nothing here")


@pytest.fixture
async def site(engine: Engine, url: str, tmp_path: Path) -> AsyncIterator[Site]:
    found = Site(engine, url, tmp_path)
    try:
        async with found.web_process():
            yield found
    except BaseException:
        print(found.logs())
        raise
    finally:
        found.close()


async def test_a_worker_answers_and_another_goes_on_where_it_is_killed(site: Site) -> None:
    site.start_worker()
    chat, run_id = await site.ask("Please book a room")
    assert (await chat.follow(run_id)).text == WHOLE

    slow, slow_id = await site.ask("Please book, slow")
    read = ""
    async for chunk in slow.follow(slow_id):
        read += chunk.text
        if "word5" in read:
            site.kill_worker()
            break
    following = asyncio.create_task(_read(slow, slow_id))
    site.start_worker()
    while not following.done():
        await dispatch_queued(site.db, site.dispatch)
        await asyncio.wait([following], timeout=1)

    assert (await slow.follow(slow_id)).text == WHOLE
    assert site.booked == ["7", "7"], "once for each question"
    assert await dispatch_queued(site.db, site.dispatch) == 0


async def _read(chat: Any, run_id: UUID) -> str:
    return "".join([chunk.text async for chunk in chat.follow(run_id)])


@pytest.mark.parametrize("engine", ["procrastinate", "dbos"], indirect=True)
async def test_the_job_is_part_of_the_transaction_of_its_question(site: Site) -> None:
    """The broker is a part of the database."""
    site.start_worker()
    chat = await create_chat(site.db, Script())

    with contextlib.suppress(ZeroDivisionError):
        async with site.db.engine.begin() as connection:
            undone = await chat.submit("Never asked", connection=connection)
            await site.dispatch(undone, connection=connection)
            raise ZeroDivisionError
    async with site.db.engine.begin() as connection:
        run_id = await chat.submit("Hello", connection=connection)
        await site.dispatch(run_id, connection=connection)

    assert (await chat.follow(run_id)).text == WHOLE
    assert [message.text for message in await chat.messages()] == ["Hello", WHOLE]
