#!/usr/bin/env bash
# langgraph 1.2.24 with langgraph-checkpoint-sqlite 3.1.2, Python 3.11.
#
# Eight questions are sent to one thread at the same time, as by a user with two tabs or by a client that
# retries. One would expect eight answers in the thread, or an error for seven of the callers.
# Seen: all eight callers get their answer and no error. The thread holds one question and one answer.
# Each turn starts from the checkpoint that it read, and the last one to write becomes the thread's latest.
# The PostgreSQL checkpointer (3.2.0) does the same.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "langgraph==1.2.24" "langgraph-checkpoint-sqlite==3.1.2"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import sys

from langchain_core.messages import AIMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph


async def model(state: MessagesState) -> dict[str, list[AIMessage]]:
    await asyncio.sleep(0.3)
    return {"messages": [AIMessage(f"answer to {state['messages'][-1].content}")]}


async def main(path: str) -> None:
    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        graph = StateGraph(MessagesState).add_node(model).add_edge(START, "model").compile(saver)
        thread = {"configurable": {"thread_id": "one"}}

        async def ask(number: int) -> str:
            asked = {"messages": [("user", f"question {number}")]}
            return (await graph.ainvoke(asked, thread))["messages"][-1].content

        answers = await asyncio.gather(*map(ask, range(8)))
        state = await graph.aget_state(thread)
        print(len(set(answers)), "answers were given")
        print(len(state.values["messages"]) // 2, "is in the thread")


asyncio.run(main(sys.argv[1]))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py" "$work/threads.db")
echo "$seen"
[ "$seen" = "8 answers were given
1 is in the thread" ]
