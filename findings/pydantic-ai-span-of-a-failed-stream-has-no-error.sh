#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0, openai 3.57.0, opentelemetry-sdk 1.45.2, Python 3.11.
#
# The provider answers a request with status 500, once where a whole answer was asked for and once where a stream
# was. The conventions of OpenTelemetry give the span of a failed request the status ERROR. One would guess that
# both spans have it.
# Seen: that of the streamed request (`chat`) has no status: it looks as if the request had succeeded. Only the
# span of the run (`invoke_agent`) tells of the error. A connection that is lost in the middle of a stream leaves
# the same spans.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[openai]==2.68.0" "openai==3.57.0" "opentelemetry-sdk==1.45.2"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import AsyncOpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.instrumented import InstrumentationSettings, InstrumentedModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Provider(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


async def whole(agent):
    await agent.run("Hello")


async def streamed(agent):
    async with agent.run_stream("Hello") as result:
        async for _ in result.stream_text():
            pass


async def main(address):
    client = AsyncOpenAI(base_url=address, api_key="none", max_retries=0)
    model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client))
    for ask in (whole, streamed):
        spans = InMemorySpanExporter()
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(spans))
        settings = InstrumentationSettings(tracer_provider=tracing)
        try:
            await ask(Agent(InstrumentedModel(model, settings), name="clerk"))
        except ModelHTTPError as error:
            print(ask.__name__, error.status_code, end=": ")
        print(
            *(f"{each.name} {each.status.status_code.name}" for each in spans.get_finished_spans()),
            sep=", ",
        )


provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=provider.serve_forever, daemon=True).start()
asyncio.run(main(f"http://127.0.0.1:{provider.server_port}"))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "whole 500: chat m ERROR, invoke_agent clerk ERROR
streamed 500: chat m UNSET, invoke_agent clerk ERROR" ]
