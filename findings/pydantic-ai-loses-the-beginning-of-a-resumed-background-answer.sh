#!/usr/bin/env bash
# pydantic-ai 2.68.0, openai 3.57.0, Python 3.11.
#
# A response of OpenAI's in background mode is streamed, and the stream ends early, as behind a proxy that
# limits the length of a request. pydantic-ai resumes it with `starting_after`, and the rest arrives. One
# would guess that the answer is the text of both streams: "Hello " and "world".
# Seen: the second response has the id of the first, so it is taken for the whole answer and replaces what
# was streamed before. The output, and the history, have the rest only: "world".
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[openai]==2.68.0" "openai==3.57.0"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def response(status, text=None):
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {
        "id": "resp_1", "object": "response", "created_at": 1787150260, "status": status,
        "background": True, "error": None, "incomplete_details": None, "instructions": None,
        "model": "gpt-5", "output": [item | {"content": [part]}] if text else [],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {},
        "usage": None,
    }


def delta(text):
    return {"type": "response.output_text.delta", **AT, "delta": text, "logprobs": []}


PART = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
FIRST = [
    {"type": "response.created", "response": response("in_progress")},
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
    {"type": "response.content_part.added", **AT, "part": PART},
    delta("Hello "),
]
REST = [
    delta("world"),
    {"type": "response.output_text.done", **AT, "text": "Hello world", "logprobs": []},
    {"type": "response.completed", "response": response("completed", "Hello world")},
]


class Background(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.stream(FIRST, 0)

    def do_GET(self):
        assert self.path.endswith("?starting_after=3&stream=true"), self.path
        self.stream(REST, 4)

    def stream(self, events, number):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for at, event in enumerate(events, number):
            data = json.dumps(event | {"sequence_number": at})
            self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())

    def log_message(self, *_):
        pass


async def read(_context, events):
    async for _ in events:
        pass


async def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Background)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none")
    model = OpenAIResponsesModel("gpt-5", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, model_settings={"openai_background": True})
    result = await agent.run("Hi", event_stream_handler=read)
    print(repr(result.output))
    server.shutdown()


asyncio.run(main())
PYTHON

seen=$(timeout 60 "$work/venv/bin/python" "$work/see.py")
echo "seen: $seen"
[ "$seen" = "'world'" ]
