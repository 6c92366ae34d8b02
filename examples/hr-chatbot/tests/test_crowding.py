"""One person cannot take the whole server."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice

import pytest
from hr.settings import Settings, Unusable

from chatrecord.testing import say
from conftest import new_chat, signed_in


@pytest.fixture
def few(hr):
    """The application with two places for each person."""
    return replace(hr, settings=replace(hr.settings, at_once=2))


@asynccontextmanager
async def _answering(client, chats):
    """An answer under way in each of these chats, which go on until the end."""
    sent = []
    for chat in chats:
        asked = client.post("/api/chats", json={"id": chat, "text": "A long one?"})
        sent.append(asyncio.create_task(asked))
        while (await client.get(f"/api/chats/{chat}")).json()["activeRun"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    try:
        yield
    finally:
        for chat in chats:
            await client.post(f"/api/chats/{chat}/stop")
        await asyncio.gather(*sent)


async def test_further_streams_of_one_person_are_refused_and_others_have_theirs(few, llm):
    llm.then([say(*["word "] * 3_000, pause=0.02)])
    async with signed_in(few, "ada") as ada, signed_in(few, "ben") as ben:
        ben._transport.app = ada._transport.app
        chat = await new_chat(ada)
        async with _answering(ada, [chat]):
            stream = f"/api/chats/{chat}/stream"
            readers = [asyncio.create_task(ada.get(stream)) for _ in range(5)]
            for refused in [await it for it in islice(asyncio.as_completed(readers), 4)]:
                assert refused.status_code == 429
                assert refused.headers["retry-after"] == "5"
                assert "too many answers" in refused.json()["error"]["message"]
            assert (await ada.get("/api/chats")).status_code == 429
            assert (await ada.get("/api/me")).status_code == 200
            assert (await ben.get("/api/chats")).status_code == 200
            (reader,) = (it for it in readers if not it.done())
            reader.cancel()
            await asyncio.wait([reader])
        assert (await ada.get("/api/chats")).status_code == 200


async def test_unread_answers_are_counted(few, hr, llm):
    """The second window of the same person is another server's, as far as streams go."""
    llm.then(*([say(*["word "] * 3_000, pause=0.02)] for _ in range(2)), [say("Now.")])
    async with signed_in(hr, "ada") as first, signed_in(few, "ada") as second:
        chats = [await new_chat(first) for _ in range(3)]
        async with _answering(first, chats[:2]):
            body = {"id": chats[2], "text": "One more?"}
            refused = await second.post("/api/chats", json=body)
            assert refused.status_code == 429
            assert (await second.post(f"/api/chats/{chats[2]}/resume")).status_code == 429
            assert (await second.get(f"/api/chats/{chats[2]}")).status_code == 200
        assert (await second.post("/api/chats", json=body)).status_code == 200


def test_an_invalid_number_is_reported_by_name(monkeypatch):
    for told in ("0", "-1", "many"):
        monkeypatch.setenv("HR_AT_ONCE", told)
        with pytest.raises(Unusable, match="HR_AT_ONCE is a number"):
            Settings()
