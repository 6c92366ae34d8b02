"""A loopback server that answers any well-formed request as its provider would.

It speaks what the documented model strings speak: OpenAI (responses and chat completions, the
latter for OpenRouter and Ollama too), Anthropic, and Gemini. It is no mind: each tool it is offered
is called once after each prompt, with arguments that fit the tool's schema, and then it talks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

from providers import anthropic_messages, openai_chat, openai_responses
from providers.answers import Answer, Call
from providers.wire import Body, Wire

from . import gemini
from .sample import sample

WIRES: tuple[Wire, ...] = (openai_chat, openai_responses, anthropic_messages)
WORDS = ("Good question. ", "It depends ", "on the weather.")

Tool = tuple[str, Body]
"""A name and the JSON schema of its arguments."""


class Server(ThreadingHTTPServer):
    """Knows its address, numbers its answers, and remembers which rules were broken."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.numbers = count(1)
        self.faults: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body: Body = json.loads(self.rfile.read(length))
        path = self.path.partition("?")[0]
        if path.startswith(gemini.PATH):
            self._stream([gemini.frame(gemini_answer(body), path)])
        else:
            self._answer(next(wire for wire in WIRES if wire.path == path), body)

    def log_message(self, *words: object) -> None:
        """Quiet."""

    def _answer(self, wire: Wire, body: Body) -> None:
        complaint = wire.complaint(body)
        if complaint:
            self.server.faults.append(complaint)
            self.send_error(400, "Bad Request", complaint)
            return
        answer = answer_to(wire, body)
        number = f"{next(self.server.numbers):03}docs"
        if body.get("stream"):
            self._stream([frame.data for frame in wire.frames(answer, body, number)])
        else:
            self._send("application/json", [json.dumps(wire.whole(answer, body, number)).encode()])

    def _stream(self, frames: list[bytes]) -> None:
        self._send("text/event-stream", frames)

    def _send(self, content_type: str, parts: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.end_headers()
        for part in parts:
            self.wfile.write(part)


def answer_to(wire: Wire, body: Body) -> Answer:
    said = [words.who for words in wire.said(body)]
    asked = len(said) - said[::-1].index("user") if "user" in said else 0
    return talk() if "result" in said[asked:] else use(tools_of(wire, body), len(said))


def gemini_answer(body: Body) -> Answer:
    return talk() if gemini.is_answered(body) else use(gemini.tools(body), len(body["contents"]))


def talk() -> Answer:
    return Answer(text=WORDS)


def use(tools: list[Tool], place: int) -> Answer:
    calls = [
        Call(f"call_{place}_{number}", name, sample(schema, schema))
        for number, (name, schema) in enumerate(tools)
    ]
    return Answer(calls=tuple(calls)) if calls else talk()


def tools_of(wire: Wire, body: Body) -> list[Tool]:
    return [tool_of(wire, tool) for tool in body.get("tools") or []]


def tool_of(wire: Wire, tool: Any) -> Tool:
    if wire is anthropic_messages:
        return tool["name"], tool["input_schema"]
    described = tool["function"] if wire is openai_chat else tool
    return described["name"], described["parameters"]
