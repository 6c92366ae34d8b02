#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 with openai 2.x, Python 3.11.
#
# An answer of OpenAI's Responses API has reasoning, and the next question of the same conversation goes
# to a model of chat completions, also of OpenAI. One would guess that the reasoning is left out, or sent
# as text, as that of every other provider is.
# Seen: the message gets a field whose name is the id of the reasoning item. OpenAI refuses unknown fields
# of a message, so the conversation cannot continue with that model.
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
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    UserPromptPart,
)
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

sent = []
ANSWER = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}
    ],
}


def answer(request: httpx.Request) -> httpx.Response:
    sent.append(json.loads(request.content))
    return httpx.Response(200, json=ANSWER)


async def main() -> None:
    reasoning = ThinkingPart("Hm.", id="rs_1", signature="sealed", provider_name="openai")
    history = [
        ModelRequest(parts=[UserPromptPart("What time is it?")]),
        ModelResponse(parts=[reasoning, TextPart("Noon.")], provider_name="openai"),
    ]
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = AsyncOpenAI(api_key="none", http_client=http)
    model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
    await Agent(model).run("Sure?", message_history=history)
    print(sorted(sent[0]["messages"][1]))


asyncio.run(main())
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "seen: $seen"
[ "$seen" = "['content', 'role', 'rs_1']" ]
