#!/usr/bin/env bash
# pydantic-ai-slim 2.68.0, and 2.30.0 and 1.107.10 (the last 1.x of November 2026) beside it, Python 3.11.
#
# A tool has raised ModelRetry, and the history is stored as JSON, by 2.68. One would guess that a release of
# the same major version reads it, as after a rollback, or while old and new processes share a database.
# Seen: the return of the tool has the outcome "retried". 2.30 does not know it and refuses the whole
# history, and so does 1.107. A history that 1.107 itself has written is enough: once 2.68 has read and
# stored it again, 1.107 cannot read it any more.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 2.68.0 2.30.0 1.107.10; do
  "${PYTHON:-python3}" -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check "pydantic-ai-slim==$version"
done

cat > "$work/run.py" <<'PYTHON'
import sys

from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel


def model(messages, info):
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("weather", {"city": "Pris"}, "call_1")])
    return ModelResponse(parts=[TextPart("I cannot find that city.")])


agent = Agent(FunctionModel(model))


@agent.tool_plain
def weather(city: str) -> str:
    raise ModelRetry("There is no such city")


with open(sys.argv[1], "wb") as file:
    file.write(agent.run_sync("The weather in Pris?").all_messages_json())
PYTHON

cat > "$work/read.py" <<'PYTHON'
import sys

from pydantic import ValidationError
from pydantic_ai.messages import ModelMessagesTypeAdapter

read, *written = sys.argv[1:]
try:
    with open(read, "rb") as file:
        messages = ModelMessagesTypeAdapter.validate_json(file.read())
except ValidationError as error:
    print("refused,", error.errors()[0]["input"])
else:
    print(len(messages), "messages")
    for each in written:
        with open(each, "wb") as file:
            file.write(ModelMessagesTypeAdapter.dump_json(messages))
PYTHON

run() { "$work/$1/bin/python" -W ignore "$work/$2.py" "${@:3}"; }
run 2.68.0 run "$work/new.json"
run 1.107.10 run "$work/old.json"
seen="by 2.68, read by 2.68: $(run 2.68.0 read "$work/new.json")
by 2.68, read by 2.30: $(run 2.30.0 read "$work/new.json")
by 2.68, read by 1.107: $(run 1.107.10 read "$work/new.json")
by 1.107, read by 1.107: $(run 1.107.10 read "$work/old.json")
by 1.107, read and written by 2.68: $(run 2.68.0 read "$work/old.json" "$work/again.json")
and read by 1.107 again: $(run 1.107.10 read "$work/again.json")"
echo "$seen"
[ "$seen" = "by 2.68, read by 2.68: 4 messages
by 2.68, read by 2.30: refused, retried
by 2.68, read by 1.107: refused, retried
by 1.107, read by 1.107: 4 messages
by 1.107, read and written by 2.68: 4 messages
and read by 1.107 again: refused, retried" ]
