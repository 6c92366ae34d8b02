#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 with openai 2.x, Python 3.11.
#
# A model of chat completions has given two tool calls the ids "get|1" and "get|2", and the next question
# goes to OpenAI's Responses API. One would guess that each call keeps an id of its own.
# Seen: an id is cut at its first bar, so that both calls, and both results, have the id "get".
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "pydantic-ai-slim[openai]==2.68.0" "httpx==0.28.1"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import json

import httpx
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

sent = []


def refuse(request: httpx.Request) -> httpx.Response:
    sent.append(json.loads(request.content))
    return httpx.Response(400, json={"error": {"message": "seen enough"}})


async def main() -> None:
    history = [
        ModelRequest(parts=[UserPromptPart("Oslo and Rome?")]),
        ModelResponse(parts=[ToolCallPart("get", "{}", "get|1"), ToolCallPart("get", "{}", "get|2")]),
        ModelRequest(parts=[ToolReturnPart("get", "sun", "get|1"), ToolReturnPart("get", "rain", "get|2")]),
    ]
    http = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    client = AsyncOpenAI(api_key="none", http_client=http)
    model = OpenAIResponsesModel("gpt-5", provider=OpenAIProvider(openai_client=client))
    try:
        await Agent(model).run("Sure?", message_history=history)
    except ModelHTTPError:
        print([item["call_id"] for item in sent[0]["input"] if "call_id" in item])


asyncio.run(main())
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "seen: $seen"
[ "$seen" = "['get', 'get', 'get', 'get']" ]
