"""What is asked of a run, and the rows that it begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from chatrecord.attachments.attachment import check_sizes
from chatrecord.hooks.run_hooks import storing
from chatrecord.llm.port import LLM, Body, Origin
from chatrecord.records import Json, Message, Run
from chatrecord.store.changes import NO_EXPIRY
from chatrecord.store.queued_question import queued_prompt
from chatrecord.store.rows import Replacement, RunStart
from chatrecord.store.times import marked

from .current_run import current_run
from .partition import Partition
from .policies import Policies
from .recorder import RunRecorder
from .row_changes import empty_answer, opened_message, opened_request


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What is asked of a run."""

    chat_id: UUID
    content: object | None
    instructions: str | None
    policies: Policies
    output_type: object | None = None
    idempotency_key: str | None = None
    resumes: Run | None = None
    replaces: Replacement | None = None
    begins: Run | None = None
    client: Mapping[str, Json] = field(default_factory=dict)
    partition: Partition | None = None
    parent: RunRecorder | None = field(default_factory=current_run)
    """The run in whose tool this is asked."""

    @property
    def parent_run_id(self) -> UUID | None:
        """The id of that run."""
        return None if self.parent is None else self.parent.run_id

    @property
    def waits(self) -> bool:
        """Whether it waits where the chat is busy."""
        return self.policies.on_busy == "wait" and self.resumes is None

    @property
    def is_submitted(self) -> bool:
        """Whether another worker may go on with it."""
        run = self.begins or self.resumes
        return run is not None and run.is_submitted


def initial_rows(
    spec: RunSpec, llm: LLM, run_id: UUID, *, owner: str, lease: timedelta
) -> RunStart:
    """The first rows of a run: itself, its prompt, an empty answer and the request for it."""
    check_sizes(spec.content, spec.policies.limits.attachment_bytes)
    now = datetime.now(UTC)
    run = Run(
        id=run_id,
        chat_id=spec.chat_id,
        status="running",
        owner=owner,
        epoch=1,
        lease_until=marked(now + lease, None if spec.begins else 0),
        idempotency_key=spec.idempotency_key,
        instructions=spec.instructions,
        settings=_settings_of(spec, llm) or None,
        error=None,
        started_at=now,
        finished_at=None,
        parent_run_id=spec.parent_run_id,
    )
    prompt = prompt_message(spec, llm, run)
    if spec.begins is not None:
        run, prompt = _begun(spec.begins, run), queued_prompt(spec.begins)
    answer = empty_answer(run, llm.target, seq=0)
    request = None if spec.policies.budgets else opened_request(run, answer.id, llm.target)
    return RunStart(
        run,
        prompt,
        answer,
        request,
        spec.policies.window,
        spec.replaces,
        spec.waits and spec.begins is None,
        with_summary=spec.policies.compact is not None,
        begins=spec.begins,
    )


def _begun(queued: Run, run: Run) -> Run:
    """The row of a queued run when it begins: a new lease on what is known of it."""
    kept = queued.settings if isinstance(queued.settings, dict) else {}
    return replace(
        run,
        epoch=queued.epoch + 1,
        idempotency_key=queued.idempotency_key,
        settings={**kept, **(run.settings if isinstance(run.settings, dict) else {})},
        question=None if queued.replaces is None else queued.question,
    )


def submitted_run(
    spec: RunSpec, llm: LLM, run_id: UUID, *, owner: str
) -> tuple[Run, Message | None]:
    """A run that waits for a worker, and the message that it will begin with."""
    check_sizes(spec.content, spec.policies.limits.attachment_bytes)
    run = Run(
        id=run_id,
        chat_id=spec.chat_id,
        status="queued",
        owner=owner,
        epoch=1,
        lease_until=NO_EXPIRY,
        idempotency_key=spec.idempotency_key,
        instructions=spec.instructions,
        settings={**_settings_of(spec, llm), "submitted": True},
        error=None,
        started_at=datetime.now(UTC),
        finished_at=None,
    )
    return run, prompt_message(spec, llm, run)


def prompt_message(spec: RunSpec, llm: LLM, run: Run) -> Message | None:
    """The user's message of this run; `None` where it has none of its own."""
    if spec.content is None:
        return None
    body = prompt_of(spec, llm, Origin(run.chat_id, run.id, run.started_at))
    return opened_message(run, 0, body, "complete", created_at=run.started_at)


def _settings_of(spec: RunSpec, llm: LLM) -> dict[str, Json]:
    settings: dict[str, Json] = {}
    if spec.replaces is not None:
        settings["replaces"] = spec.replaces.first
    if spec.client:
        settings["client"] = dict(spec.client)
    if spec.idempotency_key is not None and (question := question_of(spec, llm)) is not None:
        settings["question"] = question
    return settings


def question_of(spec: RunSpec, llm: LLM) -> str | None:
    """The fingerprint of what is asked; `None` where an answer is generated again."""
    return None if spec.content is None else fingerprint(prompt_of(spec, llm))


def fingerprint(body: Body) -> str:
    """What tells two questions apart, whenever they are asked: files and pictures count, too."""
    content = json.dumps(_timeless(body.content), sort_keys=True)
    return sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _timeless(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key != "timestamp"}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def prompt_of(spec: RunSpec, llm: LLM, origin: Origin | None = None) -> Body:
    """The user's message as it is stored."""
    return llm.prompt(spec.content, storing(spec.policies.hooks, spec.chat_id), origin)
