"""Signals that end a server are heard by its streams, and by the server as before."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from chatrecord.web.shutdown import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    """Those of this process, which has the handlers of a server for the time of a test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Signals()
    for number, handler in before.items():
        signal.signal(number, handler)


def end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_server_gets_its_signal_as_before(signals: Signals) -> None:
    heard: list[object] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    for _ in range(3):  # each request watches
        signals.watch()

    with signals.told(lambda: heard.append("stream")):
        end_this_process()

    assert heard == ["stream", signal.SIGTERM]


def test_a_stream_that_begins_afterwards_hears_of_it_too(signals: Signals) -> None:
    heard: list[str] = []
    signal.signal(signal.SIGTERM, lambda *_: None)
    signals.watch()
    end_this_process()

    with signals.told(lambda: heard.append("late")):
        pass

    assert heard == ["late"]


async def test_a_server_that_handles_signals_in_its_loop_gets_them(signals: Signals) -> None:
    loop, served, told = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, served.set)
    signals.watch()

    with signals.told(lambda: loop.call_soon_threadsafe(told.set)):
        end_this_process()
        await asyncio.wait_for(asyncio.gather(served.wait(), told.wait()), 5)

    loop.remove_signal_handler(signal.SIGTERM)


def test_nothing_is_changed_without_a_server(signals: Signals) -> None:
    """Neither where no handler is set, nor in a thread."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    interrupt = signal.getsignal(signal.SIGINT)
    signals.watch()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == interrupt

    handler = lambda *_: None  # noqa: E731 - compared below
    signal.signal(signal.SIGTERM, handler)
    thread = threading.Thread(target=signals.watch)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is handler
