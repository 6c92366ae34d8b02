"""What came through a fork: engines that several databases share, and streams."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import forking_child
import pytest
from children import processes

REFUSAL = "This stream belongs to the process that began it: follow() the run in this one"
NO_EXPORT = "This export belongs to the process that began it: export the chat again here"


def told_by(work: Callable[[str, Connection], None], url: str, *, times: int) -> list[Any]:
    """What this work tells in a process of its own."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=work, args=(url, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        told = []
        for _ in range(times):
            assert ours.poll(60), "it waits for ever"
            told.append(ours.recv())
        return told
    finally:
        process.join(10)
        process.kill()
        ours.close()


@pytest.mark.parametrize("place", ["memory", "file"])
def test_databases_on_one_engine_take_turns_after_a_fork(place: str, tmp_path: Path) -> None:
    file = f"/{tmp_path / 'chats.db'}" if place == "file" else ""

    ((events, texts),) = told_by(forking_child.two_databases, f"sqlite+aiosqlite://{file}", times=1)

    assert events == ["0 began", "0 ended", "1 began", "1 ended"]
    assert texts == ["x" * 10] * 8


def test_a_replica_is_read_after_a_fork_by_connections_of_the_child(own_url: str) -> None:
    (there, here) = told_by(forking_child.with_replica, own_url, times=2)

    assert there == (2, "two", 4)
    assert here == 4


def test_streams_and_exports_of_plain_code_are_refused_after_a_fork(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'chats.db'}"

    refusals, going_on = told_by(forking_child.plain_stream, url, times=2)

    assert refusals == [REFUSAL, REFUSAL, NO_EXPORT]
    assert going_on == (True, True), "the run and the export of the parent"


def test_a_stream_is_refused_after_a_fork_and_its_run_can_be_followed(own_url: str) -> None:
    (refusals, first), still_runs = told_by(forking_child.awaited_stream, own_url, times=2)

    assert refusals == [REFUSAL] * 4
    assert first == "Hel"
    assert still_runs, "leaving the copy of a stream stops nothing"
