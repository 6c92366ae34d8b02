"""A stored run as a case of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_evals import Case

from chatrecord.feedback import Feedback
from chatrecord.pydantic_ai.messages import history_of, message_of
from chatrecord.records import ApiRequest, ChatRecord, Message, Run, ToolCall
from chatrecord.runs.process import Backend
from chatrecord.store.rows import RunRows
from chatrecord.store.window import Window


@dataclass(frozen=True)
class Question:
    """What an application is asked in a case: a question, and what was said before it.

    `history` has Pydantic AI's messages, as `Agent.run(message_history=...)` takes them.
    `instructions` are those that were sent.
    """

    question: str
    history: list[ModelMessage] = field(default_factory=list)
    instructions: str | None = None


@dataclass(frozen=True)
class StoredCall:
    """A tool call of the stored run."""

    name: str
    arguments: Any
    status: str
    result: Any = None


@dataclass(frozen=True)
class RunFacts:
    """What is known of the stored run of a case.

    `value` is the mean of its feedback, `None` without any, and `answer` what was answered, also
    where that is not what is expected. `cost` is in US dollars, `None` if the price of any attempt
    is unknown; `latency_ms` is the time from the question to the end in milliseconds.
    """

    chat_id: UUID
    run_id: UUID
    message_id: UUID
    status: str
    model: str | None
    provider: str | None
    agent: str | None
    answer: Any
    value: float | None = None
    comments: list[str] = field(default_factory=list)
    tool_calls: list[StoredCall] = field(default_factory=list)
    cost: Decimal | None = None
    latency_ms: float | None = None


async def case_of(
    backend: Backend,
    chat: ChatRecord,
    run: Run,
    feedback: Sequence[Feedback],
    history: Window | None,
) -> Case[Question, Any, RunFacts] | None:
    """A run as a case; `None` if it has no answer, or if its question is not kept."""
    rows = await backend.store.rows_of(run, with_journal=False)
    answers = [it for it in rows.messages if it.role == "assistant"]
    asked = await _question(backend, run, rows)
    if asked is None or not answers:
        return None
    before: Sequence[Message] = []
    if history is not None:
        before = await backend.store.history(chat.id, history, before=asked.seq)
    facts = _facts(chat, run, rows, answers[-1], feedback)
    is_good = facts.value is not None and facts.value > 0 and run.status == "complete"
    return Case(
        name=str(run.id),
        inputs=Question(
            asked.text,
            history_of(before, is_going_on=False),
            run.instructions or chat.instructions,
        ),
        expected_output=facts.answer if is_good else None,
        metadata=facts,
    )


async def _question(backend: Backend, run: Run, rows: RunRows) -> Message | None:
    """What was asked: by this run, or before the answer that it has generated again."""
    asked = [it for it in rows.messages if it.role == "user"]
    if asked or not rows.messages:
        return asked[0] if asked else None
    first = min(it.seq for it in rows.messages)
    last = await backend.store.history(run.chat_id, Window(messages=1), before=first)
    return next((it for it in reversed(last) if it.role == "user"), None)


def _facts(
    chat: ChatRecord, run: Run, rows: RunRows, answer: Message, feedback: Sequence[Feedback]
) -> RunFacts:
    values = [each.value for each in feedback]
    ended = run.finished_at
    return RunFacts(
        chat_id=chat.id,
        run_id=run.id,
        message_id=answer.id,
        status=run.status,
        model=answer.model or chat.model,
        provider=answer.provider or chat.provider,
        agent=chat.agent,
        answer=_output(answer, rows.tool_calls),
        value=sum(values) / len(values) if values else None,
        comments=[each.comment for each in feedback if each.comment],
        tool_calls=[
            StoredCall(it.name, it.arguments, it.status, it.result) for it in rows.tool_calls
        ],
        cost=_cost(rows.requests),
        latency_ms=None if ended is None else (ended - run.started_at).total_seconds() * 1000,
    )


def _output(answer: Message, calls: Sequence[ToolCall]) -> Any:
    """The text of an answer; of a typed one, the arguments of the call that is its output."""
    loaded = message_of(answer)
    parts = loaded.parts if isinstance(loaded, ModelResponse) else ()
    own = {call.call_id for call in calls if call.message_id == answer.id}
    for part in parts:
        if isinstance(part, ToolCallPart) and part.tool_call_id not in own:
            return part.args_as_dict()
    return answer.text


def _cost(requests: Sequence[ApiRequest]) -> Decimal | None:
    costs = [request.cost for request in requests]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal()) if known and len(known) == len(costs) else None
