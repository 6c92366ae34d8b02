"""Many people at once: chats that stream through the real server, and what each of them waits for.

    python load/measure.py --chats 100 --seconds 60

Starts the application with a scripted LLM, and asks in each chat, again and again, until the time
is up. Every answer is compared with what the server has stored of it. Exits with 1 if one differs,
or a request has failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

HERE = Path(__file__).resolve().parent
PEOPLE = (("ada@example.com", "ada-demo"), ("ben@example.com", "ben-demo"))
PATIENCE = 120.0


@dataclass
class Seen:
    """What all chats together have met."""

    answers: int = 0
    chunks: int = 0
    first: list[float] = field(default_factory=list)
    """Seconds from the question to the first byte of its answer."""

    gaps: list[float] = field(default_factory=list)
    """Seconds between two pieces of text of one answer."""

    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Client:
    """HTTP/1.1 as plain as it gets, so that what is measured is the server."""

    host: str
    port: int
    cookie: str = ""

    async def call(self, method: str, path: str, body: object = None) -> tuple[str, dict[str, str]]:
        async with self.opened(method, path, body) as (status, headers, pieces):
            whole = b"".join([piece async for piece in pieces])
            if not 200 <= status < 300:
                raise OSError(f"{method} {path}: {status} {whole[:200]!r}")
            return whole.decode(), headers

    @asynccontextmanager
    async def opened(
        self, method: str, path: str, body: object
    ) -> AsyncIterator[tuple[int, dict[str, str], AsyncIterator[bytes]]]:
        sent = b"" if body is None else json.dumps(body).encode()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            lines = [
                f"{method} {path} HTTP/1.1", f"Host: {self.host}",
                f"Origin: http://{self.host}", f"Cookie: {self.cookie}",
                "Content-Type: application/json", f"Content-Length: {len(sent)}",
                "Connection: close",
            ]  # fmt: skip
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            yield int(head[0].split()[1]), headers, _pieces(reader, headers)
        finally:
            writer.close()


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    if headers.get("transfer-encoding") != "chunked":
        yield await reader.read(-1)
        return
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)


async def main() -> int:
    options, port = _options(), _free_port()
    with tempfile.TemporaryDirectory(prefix="hr-load") as data:
        server = _start(port, Path(data))
        try:
            _wait_until_ready(server, port)
            seen = await _load(port, options.chats, options.seconds)
        finally:
            server.terminate()
            server.wait(PATIENCE)
    _print(seen, options.chats, options.seconds)
    return 1 if seen.faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chats", type=int, default=100, help="how many stream at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long they ask")
    return parser.parse_args()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _start(port: int, data: Path) -> subprocess.Popen[bytes]:
    (data / "handbook").mkdir()  # nobody searches here, so there is nothing to read
    environment = {
        **os.environ,
        "HR_LLM": "script:scripted",
        "HR_DATA": str(data),
        "HR_HANDBOOK": str(data / "handbook"),
        "HR_PORT": str(port),
        "HR_AT_ONCE": "1000",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.Popen([sys.executable, "-m", "hr"], cwd=HERE.parent, env=environment)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit("the server did not start")
        try:
            urlopen(f"http://127.0.0.1:{port}/api/documents", timeout=1).close()
        except OSError as error:
            if hasattr(error, "code"):  # it answers, if only with a 401
                return
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server did not answer")


async def _load(port: int, chats: int, seconds: float) -> Seen:
    people = [await _signed_in(port, *person) for person in PEOPLE]
    seen, until = Seen(), time.monotonic() + seconds
    await asyncio.gather(
        *(_chat(people[place % len(people)], seen, until) for place in range(chats))
    )
    return seen


async def _signed_in(port: int, email: str, password: str) -> Client:
    nobody = Client("127.0.0.1", port)
    _, headers = await nobody.call("POST", "/api/sign-in", {"email": email, "password": password})
    return Client("127.0.0.1", port, headers["set-cookie"].partition(";")[0])


async def _chat(client: Client, seen: Seen, until: float) -> None:
    try:
        chat = json.loads((await client.call("POST", "/api/chats/new", {}))[0])["id"]
        while time.monotonic() < until:
            shown = await _ask(client, chat, seen)
            stored = json.loads((await client.call("GET", f"/api/chats/{chat}"))[0])
            if shown != _text_of(stored["messages"][-1]):
                seen.faults.append(f"chat {chat}: an answer differs from what is stored")
            seen.answers += 1
    except (OSError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
        seen.faults.append(f"{type(error).__name__}: {error}")


async def _ask(client: Client, chat: str, seen: Seen) -> str:
    parts = [{"type": "text", "text": "How many words are there?"}]
    message = {"id": str(uuid4()), "role": "user", "parts": parts}
    asked = time.perf_counter()
    said: list[str] = []
    last, whole = None, False
    body = {"id": chat, "messages": [message], "trigger": "submit-message"}
    async with client.opened("POST", "/api/chats", body) as (status, _, pieces):
        if status != 200:
            raise OSError(f"a question was answered with {status}")
        seen.first.append(time.perf_counter() - asked)
        async for event in _events(pieces):
            whole = whole or event["type"] == "finish"
            if event["type"] == "error":
                raise OSError(event["errorText"])
            if event["type"] == "text-delta":
                now = time.perf_counter()
                if last is not None:
                    seen.gaps.append(now - last)
                last = now
                said.append(event["delta"])
                seen.chunks += 1
    if not whole:
        raise OSError("a stream ended without an ending")
    return "".join(said)


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, str]]:
    rest = b""
    async for piece in pieces:
        *frames, rest = (rest + piece).split(b"\n\n")
        for frame in frames:
            if frame.startswith(b"data: {"):
                yield json.loads(frame[6:])


def _text_of(message: dict[str, list[dict[str, str]]]) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


def _print(seen: Seen, chats: int, seconds: float) -> None:
    print(f"\n{chats} chats, {seconds:g} s: {seen.answers} answers, {seen.chunks} pieces of text")
    print(f"{'':<24}{'p50':>10}{'p95':>10}{'p99':>10}")
    for name, times in (("first byte, ms", seen.first), ("between pieces, ms", seen.gaps)):
        print(f"{name:<24}" + "".join(f"{_at(times, share):>10.0f}" for share in (0.5, 0.95, 0.99)))
    print(f"faults: {len(seen.faults)}")
    for fault in sorted(set(seen.faults))[:10]:
        print(f"  {fault}")


def _at(times: Sequence[float], share: float) -> float:
    """Milliseconds below which this share of them lies."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] * 1000 if times else 0.0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
