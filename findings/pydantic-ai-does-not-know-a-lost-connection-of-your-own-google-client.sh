#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0, google-genai 2.34.0 with httpx 0.28.1, Python 3.11. No network and no key.
#
# Gemini cannot be reached, and a FallbackModel has a second model. One would guess that the second model
# answers, whichever way the provider was made.
# Seen: it answers with GoogleProvider(api_key=...), whose HTTP client pydantic-ai makes (httpx2). With a
# genai.Client of one's own, google-genai uses httpx, whose errors pydantic-ai does not translate: the run
# ends with httpx.ConnectError instead of a ModelAPIError, and the second model is not asked.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[google]==2.68.0" "google-genai==2.34.0" "httpx==0.28.1"

cat > "$work/see.py" <<'PYTHON'
import socket

from google import genai
from google.genai.types import HttpOptions
from pydantic_ai import Agent
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.google import GoogleProvider


def address_that_nobody_listens_at() -> str:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{it.getsockname()[1]}"


def answer(provider: GoogleProvider) -> str:
    first = GoogleModel("gemini-2.5-flash", provider=provider)
    second = TestModel(custom_output_text="the second model answers")
    try:
        return Agent(FallbackModel(first, second)).run_sync("Hello").output
    except Exception as error:
        return f"{type(error).__module__}.{type(error).__name__}"


address = address_that_nobody_listens_at()
client = genai.Client(api_key="none", http_options=HttpOptions(base_url=address))
print("api_key:", answer(GoogleProvider(api_key="none", base_url=address)))
print("client:", answer(GoogleProvider(client=client)))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "api_key: the second model answers
client: httpx.ConnectError" ]
