"""Workers that are killed at random while two web processes ask: is every question answered?

    python bench/workers.py postgresql+asyncpg://me@localhost/empty     # 200 chats, 300 s
    python bench/workers.py sqlite+aiosqlite:///workers.db --chats 20 --seconds 20

Each web process submits a question in each of its chats, reads the answer as it comes, and submits
the next. Each answer calls a tool that is not repeatable, and streams for some seconds. All the
while a worker is killed every few seconds and another started; halfway, a deploy ends all workers
by SIGTERM, one after the other. Prints figures as JSON. Ends with 1 if a question has no answer, a
tool ran twice for one question, a reader has read something else than is stored, or a run is left.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

from pydantic_ai.messages import ModelMessage, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from chatrecord.chats.chat import Chat
from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database, count_runs, create_chat

LEASE = timedelta(seconds=3)
WORDS = 12
PAUSE = 0.2
"""Seconds between two words."""


def open_database(url: str) -> Database[Any, Any]:
    """As often as workers are killed here, it is never the fault of a run."""
    return Database(url, lease=LEASE, max_worker_deaths=1_000_000)


def answer_to(question: str) -> list[str]:
    return [f"To {question}: ", *(f"word{number} " for number in range(WORDS))]


async def answered(
    messages: list[ModelMessage], _: AgentInfo
) -> AsyncIterator[str | DeltaToolCalls]:
    """Call the tool once, then answer: by what the history says, as an LLM does."""
    parts = [part for message in messages for part in message.parts]
    asked = max(place for place, part in enumerate(parts) if isinstance(part, UserPromptPart))
    question = str(parts[asked].content)  # type: ignore[union-attr]
    if not any(isinstance(part, ToolReturnPart) for part in parts[asked:]):
        arguments = json.dumps({"question": question})
        yield {0: DeltaToolCall("note", arguments, tool_call_id=f"call-{question}")}
        return
    for word in answer_to(question):
        yield word
        await asyncio.sleep(PAUSE)


def write(path: Path, line: str) -> None:
    """One line, in one piece, whoever else writes."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


async def work(url: str, folder: Path) -> None:
    """A worker, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def note(question: str) -> str:
        """Write the question down."""
        write(folder / "notes", question)
        await asyncio.sleep(0.2)
        return "noted"

    def llm_for(_: ChatRecord) -> tuple[object, dict[str, Any]]:
        return FunctionModel(stream_function=answered), {"tools": [note]}

    async with open_database(url) as db:
        await db.work(llm_for, stop=stop, concurrency=20)


async def ask(url: str, folder: Path, name: str, chats: int, seconds: float) -> None:
    """A web process: one user for each chat."""
    until = monotonic() + seconds
    async with open_database(url) as db:
        opened = [
            await create_chat(db, FunctionModel(stream_function=answered)) for _ in range(chats)
        ]
        await asyncio.gather(
            *(one_user(chat, folder, f"{name}-{n}", until) for n, chat in enumerate(opened))
        )


async def one_user(chat: Chat, folder: Path, name: str, until: float) -> None:
    number = 0
    while number == 0 or monotonic() < until:
        question, number = f"{name}-{number}", number + 1
        run_id = await chat.submit(question, idempotency_key=question)
        said: dict[object, str] = {}
        restarts, began = 0, monotonic()
        async with chat.follow(run_id) as stream:
            async for chunk in stream:
                if chunk.kind == "restart":
                    said.pop(chunk.message_id, None)
                    restarts += 1
                elif chunk.text:
                    said[chunk.message_id] = said.get(chunk.message_id, "") + chunk.text
        stored = (await chat.messages(limit=1))[-1]
        read = "".join(said.values())
        row = {
            "question": question,
            "whole": read == "".join(answer_to(question)) == stored.text == stream.reply.text,
            "read": read,
            "restarts": restarts,
            "seconds": monotonic() - began,
        }
        write(folder / "answers", json.dumps(row))


class Workers:
    """The processes that answer, some of which are killed."""

    def __init__(self, url: str, folder: Path, number: int) -> None:
        self._command = [sys.executable, __file__, url, "--folder", str(folder), "--role", "work"]
        self.processes = [subprocess.Popen(self._command) for _ in range(number)]
        self.killed = 0

    def kill(self, place: int) -> None:
        self.processes[place].kill()
        self.processes[place].wait()
        self.processes[place] = subprocess.Popen(self._command)
        self.killed += 1

    def deploy(self) -> None:
        for place, process in enumerate(self.processes):
            process.terminate()
            # One that has only just started hears the signal before it listens to it.
            assert process.wait(30) in (0, -signal.SIGTERM), "a worker did not end well"
            self.processes[place] = subprocess.Popen(self._command)

    def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)


def web_processes(
    url: str, folder: Path, chats: int, seconds: float
) -> list[subprocess.Popen[Any]]:
    command = [sys.executable, __file__, url, "--folder", str(folder), "--chats", str(chats // 2)]
    command += ["--seconds", str(seconds), "--role"]
    return [subprocess.Popen([*command, f"web{number}"]) for number in range(2)]


def campaign(url: str, folder: Path, chats: int, seconds: float, workers: int) -> int:
    """Returns how many workers were killed."""
    chance, began, is_deployed = random.Random(1), monotonic(), False
    answering = Workers(url, folder, workers)
    asking = web_processes(url, folder, chats, seconds)
    try:
        while any(process.poll() is None for process in asking):
            # In peace at the end: what is left is answered.
            if monotonic() - began < seconds:
                pause = chance.uniform(1, max(6.0, seconds / 15))
                deadline = monotonic() + pause
                while monotonic() < deadline:
                    sleep(0.1)
                answering.kill(chance.randrange(workers))
                if not is_deployed and monotonic() - began > seconds / 2:
                    answering.deploy()
                    is_deployed = True
            else:
                sleep(0.2)
            if monotonic() - began > seconds * 2 + 120:
                print("the web processes did not end", file=sys.stderr)
                break
        assert is_deployed
    finally:
        for process in asking:
            process.kill()
        answering.end()
    return answering.killed


async def left(url: str) -> dict[str, int]:
    """The runs by their status, and what the doctor finds."""
    async with Database(url) as db:
        statuses = ("queued", "waiting", "running", "parked", "complete", "interrupted", "failed")
        found: dict[str, int] = {name: await count_runs(db, status=name) for name in statuses}
        return {**found, "findings": len(await db.doctor())}


def figures(answers: Sequence[dict[str, Any]], notes: Iterable[str]) -> dict[str, Any]:
    took = sorted(row["seconds"] for row in answers)
    return {
        "questions": len(answers),
        "read otherwise": sum(not row["whole"] for row in answers),
        "restarts seen by readers": sum(row["restarts"] for row in answers),
        "tools that ran twice": sum(times > 1 for times in Counter(notes).values()),
        "median seconds": round(took[len(took) // 2], 2) if took else None,
        "longest seconds": round(took[-1], 2) if took else None,
    }


async def create(url: str) -> None:
    async with Database(url) as db:
        await db.create_tables()


def run(url: str, chats: int, seconds: float, workers: int) -> dict[str, Any]:
    """The whole campaign, and its figures."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(create(url))
        killed = campaign(url, folder, chats, seconds, workers)
        rows = [json.loads(line) for line in (folder / "answers").read_text().splitlines()]
        notes = (folder / "notes").read_text().splitlines()
    otherwise = [row for row in rows if not row["whole"]]
    found = figures(rows, notes) | {"workers killed": killed} | asyncio.run(left(url))
    return found | {"examples": otherwise[:3]}


def is_good(found: dict[str, Any]) -> bool:
    """Whether nothing was lost."""
    bad = ("queued", "waiting", "running", "parked", "interrupted", "failed", "findings")
    bad += ("read otherwise", "tools that ran twice")
    return all(found[name] == 0 for name in bad) and found["complete"] == found["questions"] > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--role", default="campaign")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.role == "work":
        asyncio.run(work(given.url, given.folder))
    elif given.role != "campaign":
        asyncio.run(ask(given.url, given.folder, given.role, given.chats, given.seconds))
    else:
        found = run(given.url, given.chats, given.seconds, given.workers)
        print(json.dumps(found, indent=1))
        sys.exit(0 if is_good(found) else 1)


if __name__ == "__main__":
    main()
