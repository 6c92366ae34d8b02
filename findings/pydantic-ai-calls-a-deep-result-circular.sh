#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 (pydantic 2.14.4), Python 3.11. No network and no key.
#
# A tool has returned a list that is nested 300 deep, and that holds no circle. The message with it is
# dumped, as everybody does who stores a history. One would guess that it is written, as json.dumps()
# writes it, or that the error speaks of its depth, as pydantic_core's own does.
# Seen: ModelMessagesTypeAdapter fails with "Circular reference detected (id repeated)", while the part's
# model_response_str() says "Maximum serialization depth exceeded". 200 deep is dumped.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim==2.68.0" "pydantic==2.14.4"

cat > "$work/see.py" <<'PYTHON'
import json

from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelRequest, ToolReturnPart


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


def said(work: object) -> str:
    try:
        work()
    except Exception as error:
        return str(error).rpartition("ValueError: ")[2]
    return "is written"


for depth in (200, 300):
    json.dumps(nested(depth))
    part = ToolReturnPart("look", nested(depth), "c1")
    messages = [ModelRequest(parts=[part])]
    print(depth, "dumped:", said(lambda: ModelMessagesTypeAdapter.dump_json(messages)))
    print(depth, "sent:", said(part.model_response_str))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "200 dumped: is written
200 sent: is written
300 dumped: Circular reference detected (id repeated)
300 sent: Maximum serialization depth exceeded" ]
