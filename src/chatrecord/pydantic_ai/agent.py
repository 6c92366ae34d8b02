"""An agent, or a model made into one, behind the port that runs talk to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic.errors import PydanticUserError
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    DeferredToolResults,
    Tool,
    ToolApproved,
    ToolDenied,
    UsageLimits,
)
from pydantic_ai.capabilities import ReinjectSystemPrompt
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelRequest, UserPromptPart
from pydantic_ai.models import Model, infer_model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.toolsets import FunctionToolset

from chatrecord.attachments.attachment import Attachment
from chatrecord.errors import AnswerRefused, ConfigurationError
from chatrecord.hooks.moments import Change
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.port import Ask, Body, Origin, Outcome, Recorder, RequestRecorder, SideRequest
from chatrecord.llm.tools import is_repeatable
from chatrecord.records import Message, ToolCall
from chatrecord.text.redaction import text_of
from chatrecord.values import Target

from .attachments import attached
from .attempt import Attempts
from .capability import AgentRecording, Recording, RequestRecording, recorded_agent
from .errors import refused, run_error
from .messages import answers_to, body_of, history_of
from .messages import text_of as text_of_answer
from .provider import can_stream, target_of
from .refusals import refusal_of
from .side_requests import side_answer, side_settings
from .stored_bodies import Question, question_of
from .stored_output import reparse
from .texts import stored_body


class AgentLLM:
    """Implements `chatrecord.llm.port.LLM` for a pydantic-ai agent."""

    def __init__(
        self,
        agent: Agent[Any, Any],
        *,
        name: str | None,
        settings: ModelSettings | None,
        deps: object,
        attempts: Attempts,
        is_ours: bool = False,
        instructions: str | None = None,
    ) -> None:
        self._agent = agent
        self._name = name
        self._settings = settings
        self._deps = deps
        self._attempts = attempts
        self._is_ours = is_ours
        # What it is asked for is that, or approvals of tool calls.
        self._type: Any = str if is_ours else agent.output_type
        self._instructions = instructions

    @property
    def target(self) -> Target:
        model = self._agent.model
        if isinstance(model, Model):
            return target_of(model, streamed=can_stream(model))
        if isinstance(model, str):
            provider, _, name = model.rpartition(":")
            return Target(model=name, provider=provider or None, streamed=True)
        return Target(model=None, provider=None, streamed=True)

    @property
    def agent(self) -> str | None:
        return self._name

    @property
    def repeatable(self) -> Collection[str]:
        # Not those of wrapped toolsets, whose tools may go by other names.
        own = [it for it in self._agent.toolsets if isinstance(it, FunctionToolset)]
        tools = [(name, tool) for toolset in own for name, tool in toolset.tools.items()]
        others = {name for name, tool in tools if not is_repeatable(tool.function)}
        return {name for name, _ in tools} - others

    def prompt(
        self, content: object, storing: Change | None = None, origin: Origin | None = None
    ) -> Body:
        try:
            return stored_body(self._question(content, origin), storing)
        except (ValueError, RecursionError) as error:
            msg = (
                "The prompt cannot be stored as JSON, it may be nested too deep, such as in a "
                f"vendor_metadata of it: {type(error).__name__}"
            )
            raise ValueError(msg) from error

    def attached(
        self, prompt: str | Sequence[object], files: Sequence[Attachment]
    ) -> Sequence[Any]:
        return attached(prompt, files)

    def answers(self, calls: Sequence[ToolCall]) -> Body:
        return answers(calls)

    async def output(self, answer: Message, output_type: object | None) -> object:
        wanted: Any = output_type or self._type
        output = await reparse(self._agent, answer, wanted, self._deps)
        return answer.text if self._is_text(output_type) else output

    def for_side_requests(self, llm: object) -> AgentLLM:
        return open_llm(
            llm,
            instructions=None,
            tools=(),
            settings=None,
            deps=None,
            idle_timeout=self._attempts.idle_timeout,
            retries=self._attempts.retries,
            streaming=self._attempts.streaming,
        )

    async def side_request(
        self, side_request: SideRequest, recorder: RequestRecorder, hooks: RunHooks
    ) -> str:
        settings = side_settings(self._agent, self._settings)
        recording = RequestRecording(recorder, self._attempts, hooks)
        try:
            return await side_answer(_usable_model(self._agent), side_request, settings, recording)
        except Exception as error:
            explained = recording.explained(error) or run_error(error)
            if explained is error:
                raise
            raise explained from error

    async def run(
        self,
        history: Sequence[Message],
        ask: Ask,
        recorder: Recorder,
    ) -> Outcome:
        messages = history_of(history, is_going_on=ask.content is None)
        known = len(messages) if ask.content is None else len(messages) + 1
        recording = Recording(
            recorder, self._attempts, ask.hooks, known=known, question=self._stored_question(ask)
        )
        recorded_agent.set(self._agent)  # in the run's own task
        AgentRecording.record_with(recording)
        try:
            result = await self._agent.run(
                cast(Any, ask.content),
                message_history=messages,
                output_type=self._output_type(ask),
                deferred_tool_results=_decided(ask),
                deps=self._deps,
                model_settings=self._settings,
                usage_limits=UsageLimits(request_limit=None),
                capabilities=None if self._is_ours else [ReinjectSystemPrompt(), recording],
                infer_name=False,
                run_id=str(ask.question.run_id) if ask.question else None,
                conversation_id=str(ask.question.chat_id) if ask.question else None,
            )
        except Exception as error:
            explained = recording.explained(error) or run_error(error)
            if explained is error:
                raise
            raise explained from error
        if said := refusal_of(result.response):
            raise AnswerRefused(refused(said))
        outcome = recording.outcome(result)
        if outcome.parked or not self._is_text(ask.output_type):
            return outcome
        return replace(outcome, output=text_of_answer(result.response))

    def _question(self, content: object, origin: Origin | None) -> ModelRequest:
        if origin is None:
            return ModelRequest(parts=[UserPromptPart(cast(Any, content))])
        run_id, chat_id = str(origin.run_id), str(origin.chat_id)
        return question_of(content, origin.asked_at, run_id, chat_id, self._instructions)

    def _stored_question(self, ask: Ask) -> Question | None:
        row = ask.question
        if row is None or row.run_id is None:
            return None
        origin = Origin(row.chat_id, row.run_id, row.created_at)
        return Question(self._question(ask.content, origin), row)

    def _is_text(self, output_type: object | None) -> bool:
        """Whether the output is the text of the answer, all of it.

        pydantic-ai's own output is only what came after the last tool of the provider.
        """
        is_validated = getattr(self._agent, "_output_validators", None)
        return (output_type or self._type) is str and not is_validated

    def _output_type(self, ask: Ask) -> Any:
        """What was asked for, or else the agent's own, or a request for approvals."""
        if ask.output_type is None and getattr(self._agent, "_output_validators", None):
            return None  # such an agent takes no other output type than its own
        if ask.output_type is None and self._is_ours:
            return None
        wanted: object = ask.output_type or self._type
        several = wanted if isinstance(wanted, list | tuple) else [wanted]
        if DeferredToolRequests in several:
            return wanted
        return [*several, DeferredToolRequests]


def _usable_model(agent: Agent[Any, Any]) -> Model:
    """The agent's own, or what `agent.override(model=...)` has put in its place."""
    overriding = agent._override_model.get()
    model = overriding.value if overriding else agent.model
    if model is None:
        msg = "The agent has no model of its own: name one with llm="
        raise ConfigurationError(msg)
    return _model_of(model)


def _decided(ask: Ask) -> DeferredToolResults | None:
    if not ask.decisions:
        return None
    return DeferredToolResults(
        approvals={
            call_id: ToolApproved() if decision is True else ToolDenied(decision)
            for call_id, decision in ask.decisions.items()
        }
    )


def answers(calls: Sequence[ToolCall]) -> Body:
    """A message that answers these calls by their rows."""
    return body_of(answers_to(calls))


def open_llm(
    llm: object,
    *,
    instructions: str | None,
    tools: Sequence[Callable[..., Any]],
    settings: ModelSettings | None,
    deps: object,
    idle_timeout: float | None,
    retries: int,
    streaming: bool,
) -> AgentLLM:
    """A model string, a pydantic-ai `Model` or a pydantic-ai `Agent`, ready to run.

    Raises `ConfigurationError` for a model that cannot be used as things are.
    """
    attempts = Attempts(idle_timeout=idle_timeout, retries=retries, streaming=streaming)
    if isinstance(llm, Agent):
        _refuse_both(instructions, tools)
        return AgentLLM(
            llm,
            name=llm.name,
            settings=settings,
            deps=deps,
            attempts=attempts,
            instructions=_literal_instructions(llm),
        )
    model, functions = _model_of(llm), _checked(tools)
    try:
        agent: Agent[Any, Any] = Agent(
            model,
            instructions=instructions,
            tools=functions,
            deps_type=type(deps),
            output_type=[str, DeferredToolRequests],
            capabilities=[AgentRecording()],
        )
    except (UserError, PydanticUserError, NameError) as error:
        msg = f"tools= contains a tool whose schema cannot be built: {_first_line(error)}"
        raise ConfigurationError(msg) from error
    return AgentLLM(
        agent,
        name=None,
        settings=settings,
        deps=deps,
        attempts=attempts,
        is_ours=True,
        instructions=instructions,
    )


def _literal_instructions(agent: Agent[Any, Any]) -> str | None:
    """The instructions of an agent, where they are the same for each run: a guess.

    A question that is stored with others than it is asked with is written again at the end.
    """
    found = [getattr(each, "instruction", each) for each in getattr(agent, "_instructions", ())]
    return "\n\n".join(found) or None if all(isinstance(it, str) for it in found) else None


def _first_line(error: Exception) -> str:
    """The first line of the error; pydantic adds advice about classes of its own."""
    return text_of(error).splitlines()[0].partition(" Set `arbitrary_types_allowed")[0]


def _checked(tools: Sequence[object]) -> list[Any]:
    for tool in tools:
        if not callable(tool) and not isinstance(tool, Tool):
            msg = f"A tool is a function or a pydantic-ai Tool, not {tool!r}"
            raise TypeError(msg)
    names = [tool.name if isinstance(tool, Tool) else _name_of(tool) for tool in tools]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"Two tools are called {twice!r}: every tool needs a name of its own"
        raise ConfigurationError(msg)
    return list(tools)


def _name_of(tool: object) -> str:
    name = getattr(tool, "__name__", None)
    if not isinstance(name, str):
        msg = f"A tool needs a name, which {tool!r} has not: give it one with Tool(..., name=...)"
        raise TypeError(msg)
    return name


def is_agent(llm: object) -> bool:
    """Whether this is a pydantic-ai agent, which brings its own instructions."""
    return isinstance(llm, Agent)


def _refuse_both(instructions: str | None, tools: Sequence[object]) -> None:
    if instructions is not None or tools:
        msg = "An Agent brings its own instructions and tools: set them there, not on the chat"
        raise ConfigurationError(msg)


def _reason(error: Exception) -> str:
    """Without the advice for those who write `Agent(...)` themselves."""
    return text_of(error).partition(" To try Pydantic AI")[0]


def _model_of(llm: object) -> Model:
    if isinstance(llm, Model):
        return llm
    if not isinstance(llm, str):
        msg = f"An LLM is a model string, a pydantic-ai Model or an Agent, not {type(llm).__name__}"
        raise TypeError(msg)
    try:
        return infer_model(llm)
    except (UserError, ValueError, ImportError) as error:
        fix = "" if ":" in llm else f". Name its provider too, as in 'openai:{llm}'"
        msg = f"The model {llm!r} cannot be used: {_reason(error)}{fix}"
        raise ConfigurationError(msg) from error
