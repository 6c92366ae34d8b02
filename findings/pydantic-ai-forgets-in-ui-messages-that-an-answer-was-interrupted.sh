#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0 with ag-ui-protocol 1.0.0, Python 3.11. No network and no key.
#
# A history is stored as the messages of the page, as both adapters offer (dump_messages, load_messages). Its
# answer was interrupted, in its second text. The documentation of the two names tool results as what does not
# come back as it was. One would guess that the answer's state and its texts do.
# Seen: from the AI SDK's messages and from AG-UI's alike, the answer comes back as "complete", and its two
# texts as one, with nothing between them.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pydantic-ai-slim[ag-ui]==2.68.0" "ag-ui-protocol==1.0.0" starlette

cat > "$work/see.py" <<'PYTHON'
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.ui.ag_ui import AGUIAdapter
from pydantic_ai.ui.vercel_ai import VercelAIAdapter

history = [
    ModelRequest(parts=[UserPromptPart("How do I reset it?")]),
    ModelResponse(
        parts=[TextPart("Hold the button."), TextPart("Then wait until")], state="interrupted"
    ),
]
for adapter in (VercelAIAdapter, AGUIAdapter):
    answer = adapter.load_messages(adapter.dump_messages(history))[-1]
    print(adapter.__name__, answer.state, [part.content for part in answer.parts])
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "VercelAIAdapter complete ['Hold the button.Then wait until']
AGUIAdapter complete ['Hold the button.Then wait until']" ]
