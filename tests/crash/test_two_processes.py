"""Two real processes on one chat: they send at once, follow each other, and stop each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from time import monotonic

import peer_child
import pytest
from children import processes
from peer_child import Outcome, Send

from chatrecord import Chat
from chatrecord.errors import RunStopped
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script
from chatrecord.testing.look import has_journal, until

ROUNDS = 20


@dataclass
class Peer:
    """The other process."""

    pipe: Connection
    release: Event

    async def asked(self, send: Send) -> Outcome:
        self.pipe.send(send)
        outcome: Outcome = await asyncio.to_thread(self.pipe.recv)
        return outcome


@pytest.fixture
def peer(any_url: str) -> Iterator[Peer]:
    pipe, end = processes.Pipe()
    release = processes.Event()
    process = processes.Process(target=peer_child.run, args=(any_url, end, release), daemon=True)
    process.start()
    try:
        assert pipe.poll(60), "the child has not come up"
        assert pipe.recv() == "ready"
        yield Peer(pipe, release)
        pipe.send(None)
        process.join(10)
        assert process.exitcode == 0, "the child ends by itself"
    finally:
        process.kill()
        process.join()


async def both(db: Database, peer: Peer, *sends: Send) -> list[Outcome]:
    """What comes of two questions, one sent here and one there, in the same instant."""
    here, there = sends
    tasks = [
        asyncio.ensure_future(asked)
        for asked in (peer.asked(there), peer_child.asked(db, here, peer.release))
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    peer.release.set()  # only now may an answer end that was held
    return [await task for task in tasks]


def sends(chat: Chat, number: int, **options: object) -> list[Send]:
    return [
        Send(str(chat.id), f"{place} {number}", (f"to {place} {number}",), **options)  # type: ignore[arg-type]
        for place in ("here", "there")
    ]


async def test_of_two_processes_that_send_at_once_one_answers(
    backend: Database, peer: Peer
) -> None:
    chat = await create_chat(backend, Script(), user_id="two")
    winners = []
    for number in range(ROUNDS):
        peer.release.clear()
        outcomes = await both(backend, peer, *sends(chat, number, held=True))

        lost, won = sorted(outcomes, key=lambda outcome: outcome.error is None)
        assert (lost.error, won.error) == ("ChatBusy", None)
        assert lost.run_id == won.run_id, "who is refused learns which run is active"
        assert (lost.sent, won.sent) == (False, True)
        winners.append(won.text)

    messages = await chat.messages(1000)
    assert [message.text for message in messages if message.role == "assistant"] == winners
    assert [f"to {m.text}" for m in messages if m.role == "user"] == winners
    assert {message.status for message in messages} == {"complete"}
    assert await chat.active_run() is None


async def test_of_two_processes_that_wait_for_their_turn_both_answer(
    backend: Database, peer: Peer
) -> None:
    chat = await create_chat(backend, Script(), user_id="two")
    for number in range(3):
        outcomes = await both(backend, peer, *sends(chat, number, on_busy="wait", pause=0.05))
        assert [outcome.error for outcome in outcomes] == [None, None]

    texts = [message.text for message in await chat.messages(1000)]
    assert len(texts) == 12
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    assert all(answer == f"to {question}" for question, answer in pairs), "none interleaves"


async def test_the_same_key_in_two_processes_at_once_is_one_run(
    backend: Database, peer: Peer
) -> None:
    chat = await create_chat(backend, Script(), user_id="two")
    for number in range(5):
        here, there = sends(chat, number, key=f"key {number}", pause=0.05)
        outcomes = await both(backend, peer, here, replace(there, question=here.question))

        assert [outcome.error for outcome in outcomes] == [None, None]
        assert len({outcome.run_id for outcome in outcomes}) == 1
        assert len({outcome.text for outcome in outcomes}) == 1
        assert sorted(outcome.sent for outcome in outcomes) == [False, True]
    assert len(await chat.messages(1000)) == 10


async def test_an_answer_is_followed_from_another_process_to_the_byte(
    backend: Database, peer: Peer
) -> None:
    chat = await create_chat(backend, Script(), user_id="two")
    pieces = tuple(f"<{n} ünï🙂>" for n in range(30))
    asking = asyncio.ensure_future(peer.asked(Send(str(chat.id), "Go", pieces, pause=0.02)))
    await until(lambda: has_journal(backend, chat))

    streams = [chat.follow() for _ in range(3)]
    texts = await asyncio.gather(*(_read(stream) for stream in streams))

    assert texts == ["".join(pieces)] * 3
    assert (await asking).text == "".join(pieces)
    assert (await chat.messages())[-1].text == "".join(pieces)


async def _read(stream: object) -> str:
    return "".join([chunk.text async for chunk in stream])  # type: ignore[attr-defined]


async def test_an_answer_is_stopped_from_another_process(backend: Database, peer: Peer) -> None:
    chat = await create_chat(backend, Script(), user_id="two")
    asking = asyncio.ensure_future(peer.asked(Send(str(chat.id), "Go", ("half",), held=True)))
    await until(lambda: has_journal(backend, chat))

    began = monotonic()
    assert await chat.stop() is True
    assert monotonic() - began < 10, "the lease, of 30 s, is not waited for"

    outcome = await asking
    assert (outcome.error, outcome.text) == (RunStopped.__name__, "half")
    answered = (await chat.messages())[-1]
    assert (answered.status, answered.text) == ("interrupted", "half")
    assert await chat.active_run() is None
