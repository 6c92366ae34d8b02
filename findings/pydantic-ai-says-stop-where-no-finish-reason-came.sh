#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 with openai 3.57.0, groq 1.7.0 and anthropic 2.14.0, Python 3.11.
#
# A proxy ends a streamed answer in the middle, cleanly: the client sees the end of a body, and no error. No
# finish reason and no end marker has arrived. One would guess that the answer is marked as incomplete.
# Seen: all three are "complete". The one of OpenAI's chat completions even has the finish reason "stop",
# which nobody sent. Groq's and Anthropic's have none, which is the one trace of what happened.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[openai,groq,anthropic]==2.68.0" "openai==3.57.0" "groq==1.7.0" "anthropic==2.14.0"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from anthropic import AsyncAnthropic
from groq import AsyncGroq
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.groq import GroqModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.groq import GroqProvider
from pydantic_ai.providers.openai import OpenAIProvider

CHUNK = {
    "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "The first half"}}],
}
MESSAGE = {
    "id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
}
EVENTS = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta", "index": 0,
        "delta": {"type": "text_delta", "text": "The first half"},
    },
]


class Proxy(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/messages"):
            events = (f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in EVENTS)
            sent = "".join(events).encode()
        else:
            sent = f"data: {json.dumps(CHUNK)}\n\n".encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *args):
        pass


async def answer(model):
    async with Agent(model).run_stream("Hello") as result:
        async for _ in result.stream_text():
            pass
    return result.response


async def main(address):
    openai = OpenAIProvider(openai_client=AsyncOpenAI(base_url=address, api_key="none"))
    groq = GroqProvider(groq_client=AsyncGroq(base_url=address, api_key="none"))
    anthropic = AnthropicProvider(
        anthropic_client=AsyncAnthropic(base_url=address, api_key="none")
    )
    for model in (
        OpenAIChatModel("m", provider=openai),
        GroqModel("m", provider=groq),
        AnthropicModel("m", provider=anthropic),
    ):
        response = await answer(model)
        print(response.provider_name, response.text, response.state, response.finish_reason, sep="; ")


proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
asyncio.run(main(f"http://127.0.0.1:{proxy.server_port}"))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "openai; The first half; complete; stop
groq; The first half; complete; None
anthropic; The first half; complete; None" ]
