"""A provider on this machine that streams as many chunks as it is asked for, as OpenAI would.

    python bench/provider.py       # prints its port

The prompt says how many and how fast: "200 chunks, 0.02 s apart".
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    request = json.loads(await reader.readexactly(int(length[1])))
    asked = re.search(r"(\d+) chunks, ([\d.]+) s", str(request["messages"][-1]["content"]))
    assert asked is not None
    writer.write(HEAD)
    for _ in range(int(asked[1])):
        await asyncio.sleep(float(asked[2]))
        _send(writer, _chunk({"content": "some words of it "}, None))
        await writer.drain()
    _send(writer, _chunk({}, "stop"))
    _send(writer, "[DONE]")
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


def _chunk(delta: dict[str, str], reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return json.dumps({**chunk, "choices": [choice]})


def _send(writer: asyncio.StreamWriter, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")


@contextmanager
def running() -> Iterator[str]:
    """The address of one in a process of its own, whose CPU is not counted."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
