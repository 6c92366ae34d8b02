"""A COMMIT whose answer never comes: what was done is told as done, once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from drivers import DRIVERS, leaves_writers, url_by
from sqlalchemy import URL
from talk import add

from chatrecord.errors import ChatNotFound
from chatrecord.ids import new_id
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    import_history,
    list_chats,
    load_chat,
)
from chatrecord.testing import Script, call, say
from proxy import NO_TRANSACTION, Proxy, Saboteur, proxy_before

pytestmark = leaves_writers


class Eavesdropper(Saboteur):
    """Keeps the answer to the next COMMIT to itself."""

    def __init__(self) -> None:
        super().__init__(0, cuts=1, chance=0)

    def place_of_cut(self, data: bytes) -> None:
        return None

    def loses_answer_to(self, data: bytes) -> bool:
        loses = b"COMMIT" in data.replace(b"COMMITTED", b"") and not self.lost_commits
        self.lost_commits += loses
        return loses

    def keeps(self, answer: bytes) -> bool:
        return False


class Listener(Eavesdropper):
    """Keeps one answer of PostgreSQL to itself, of those after which no transaction is open."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._until = number

    def loses_answer_to(self, data: bytes) -> bool:
        return False

    def keeps(self, answer: bytes) -> bool:
        self._until -= answer.endswith(NO_TRANSACTION)
        keeps = self._until == 0 and not self.lost_commits
        self.lost_commits += keeps
        return keeps


@pytest.fixture(params=DRIVERS)
def server_url(request: pytest.FixtureRequest) -> URL:
    """A server, by each driver."""
    return url_by(request.param, request)


@pytest.fixture
async def proxy(server_url: URL) -> AsyncIterator[Proxy]:
    async with proxy_before(server_url) as proxy:
        yield proxy


@pytest.fixture
async def remote(proxy: Proxy) -> AsyncIterator[Database]:
    async with Database(proxy.url) as db:
        yield db


def loses_next(proxy: Proxy) -> Eavesdropper:
    proxy.saboteur = saboteur = Eavesdropper()
    return saboteur


async def test_a_chat_whose_commit_was_not_answered_is_there_once(
    proxy: Proxy, remote: Database
) -> None:
    owner = str(new_id())
    saboteur = loses_next(proxy)

    chat = await create_chat(remote, Script([say("hi")]), user_id=owner)

    assert saboteur.lost_commits == 1
    assert [found.id for found in await list_chats(remote, user_id=owner)] == [chat.id]
    assert (await chat.ask("Hi!")).text == "hi"


async def test_a_copy_whose_commit_was_not_answered_is_there_once(
    proxy: Proxy, remote: Database
) -> None:
    owner = str(new_id())
    chat = await create_chat(remote, Script([say("hi")]))
    await chat.ask("Hi!")
    lines = [line async for line in export_chat(remote, chat.id)]
    saboteur = loses_next(proxy)

    copy = await import_chat(remote, lines, new_ids=True, user_id=owner)

    assert saboteur.lost_commits == 1
    assert [found.id for found in await list_chats(remote, user_id=owner)] == [copy.id]


async def test_a_history_whose_commit_was_not_answered_is_there_once(
    proxy: Proxy, remote: Database
) -> None:
    owner = str(new_id())
    said = [{"role": "user", "content": "Hi!"}]
    saboteur = loses_next(proxy)

    chat = await import_history(remote, said, format="openai", user_id=owner)

    assert saboteur.lost_commits == 1
    assert [found.id for found in await list_chats(remote, user_id=owner)] == [chat.id]


async def test_a_chat_that_was_just_deleted_is_not_missed(proxy: Proxy, remote: Database) -> None:
    chat = await create_chat(remote, Script())
    saboteur = loses_next(proxy)

    await delete_chat(remote, chat.id)

    assert saboteur.lost_commits == 1
    with pytest.raises(ChatNotFound):
        await delete_chat(remote, chat.id)


async def test_a_chat_whose_move_to_another_owner_was_not_answered_is_not_missed(
    proxy: Proxy, remote: Database
) -> None:
    """Tried again, it is no longer where it was."""
    owner, to = str(new_id()), str(new_id())
    chat_id = (await create_chat(remote, Script(), user_id=owner)).id
    chat = await load_chat(remote, Script(), chat_id, user_id=owner)
    saboteur = loses_next(proxy)

    await chat.update(user_id=to, title="Yours")

    assert saboteur.lost_commits == 1
    assert chat.title == "Yours"
    assert [found.title for found in await list_chats(remote, user_id=to)] == ["Yours"]
    assert await list_chats(remote, user_id=owner) == []


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_turn_that_was_not_answered_once_is_there_once(
    driver: str, number: int, request: pytest.FixtureRequest
) -> None:
    """Its statements are transactions of their own: each may be done, and never confirmed."""
    async with proxy_before(url_by(driver, request)) as proxy, Database(proxy.url) as db:
        script = Script([say("hi")], [call("add", a=1, b=2)], [say("3")])
        chat = await create_chat(db, script, tools=[add])
        await chat.ask("Hi!")
        proxy.saboteur = saboteur = Listener(number)

        assert (await chat.ask("1 + 2?")).text == "3"

        proxy.saboteur = None
        assert saboteur.lost_commits == 1
        rows = [(row.role, row.status) for row in await chat.messages()]
        assert [status for _, status in rows] == ["complete"] * 6
        assert [role for role, _ in rows][2:] == ["user", "assistant", "tool", "assistant"]
        assert [row.status for row in await chat.tool_calls()] == ["complete"]
        assert [row.status for row in await chat.requests()] == ["complete"] * 3
