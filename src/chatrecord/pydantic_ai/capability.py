"""The hooks through which a run of an agent is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

from pydantic_ai import DeferredToolRequests, ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import (
    ApprovalRequired,
    CallDeferred,
    SkipToolExecution,
    ToolFailed,
    ToolFailedError,
    ToolRetryError,
)
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturn,
    ToolReturnPart,
)
from pydantic_ai.models import Model, ModelRequestContext, ModelRequestParameters
from pydantic_ai.run import AgentRunResult
from pydantic_ai.tools import ToolDefinition

from chatrecord.errors import RunError
from chatrecord.errors import ToolFailed as ToolFailedOnUs
from chatrecord.hooks.moments import Text, Veto
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.port import Failure, Outcome, Recorder, RequestRecorder
from chatrecord.records import Json
from chatrecord.runs.current_run import tool_of
from chatrecord.text.redaction import named, redact, text_of
from chatrecord.values import Call

from .attempt import Attempts
from .errors import Failures
from .growing_parts import Outputs
from .messages import call_of, json_of
from .model import RecordingModel, recording
from .raw_results import said
from .stored_bodies import Question, StoredBodies
from .telemetry import name_rows, trace_id
from .texts import changed_value, stored_call

_TOLD_TO_THE_MODEL = (ModelRetry, ToolRetryError, ToolFailed, ToolFailedError)
_PRIVATE = ("extra_headers", "extra_body")
_CONTROL_FLOW = (ApprovalRequired, CallDeferred, SkipToolExecution)


recorded_agent: ContextVar[object | None] = ContextVar("recorded_agent", default=None)
"""The agent that a `Chat` of ours runs just now."""


@dataclass(init=False)
class RequestRecording(AbstractCapability[object]):
    """Reports the requests of an agent to their recorder."""

    def __init__(self, recorder: RequestRecorder, attempts: Attempts, hooks: RunHooks) -> None:
        self._requests = recorder
        self._hooks = hooks
        self._attempts = attempts
        self._failures = Failures()
        self._bodies = StoredBodies(hooks.storing)

    def explained(self, error: Exception) -> RunError | None:
        """Our error for this one, if it is what an attempt at a provider failed with."""
        failure = self._failures.of(error)
        return failure.error if failure else None

    async def before_run(self, ctx: RunContext[object]) -> None:
        ids = self._requests.ids()
        name_rows({name: ids[name] for name in ("chat_id", "run_id") if name in ids})

    def get_wrapper_model(self, model: Model) -> Model | None:
        def wrap(each: Model) -> Model:
            return RecordingModel(
                each,
                self._requests,
                self._attempts,
                self._failures,
                hooks=self._hooks,
                bodies=self._bodies,
            )

        return recording(model, wrap)


@dataclass(init=False)
class Recording(RequestRecording):
    """Reports the requests, messages and tool calls of one run to its recorder."""

    def __init__(
        self,
        recorder: Recorder,
        attempts: Attempts,
        hooks: RunHooks,
        *,
        known: int,
        question: Question | None = None,
    ) -> None:
        super().__init__(recorder, attempts, hooks)
        self._recorder = recorder
        self._storing = hooks.storing
        self._vetoed: set[str] = set()
        self._known = known
        self._question = question
        self._settled: ModelMessage | None = None
        self._described = False

    async def before_model_request(
        self, ctx: RunContext[object], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        self._describe(request_context)
        if self._question is not None:
            self._bodies.keep_question(ctx.messages[self._known - 1], self._question)
            self._question = None
        for message in ctx.messages[self._known :]:
            if isinstance(message, ModelRequest):
                self._close_tools(message)
                self._recorder.add_message(self._bodies.new(message))
        self._known = len(ctx.messages)
        return request_context

    def outcome(self, result: AgentRunResult[Any]) -> Outcome:
        """The outcome of a complete run."""
        messages = result.new_messages()
        bodies = [self._bodies.of(message) for message in messages]
        if not isinstance(result.output, DeferredToolRequests):
            return Outcome(output=result.output, bodies=bodies)
        # No request follows that would report failed calls next to those that wait. Earlier results
        # are told already: a model may have used the id of one again for a call that waits.
        for message in result.all_messages()[self._known :]:
            if isinstance(message, ModelRequest):
                self._close_tools(message)
        parked = [call.tool_call_id for call in result.output.approvals]
        return Outcome(output=None, bodies=bodies, parked=parked)

    async def wrap_tool_execute(
        self,
        ctx: RunContext[object],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, object],
        handler: Any,
    ) -> Any:
        self._settle_answer(ctx.messages[-1])
        asked = call_of(call)
        ran = await self._hooks.before_tool(asked, args)
        if isinstance(ran, Veto):
            await self._veto(asked, ran)
        changed = asked if ran is args else replace(asked, arguments=json_of(ran))
        await self._recorder.start_tool(stored_call(changed, self._storing))
        row = self._recorder.row_of(asked)
        name_rows({"chat_id": row.chat_id, "message_id": row.message_id, "tool_call_id": row.id})
        try:
            with tool_of(self._recorder):
                result = await handler(dict(ran))
        except _CONTROL_FLOW:
            raise
        except _TOLD_TO_THE_MODEL as error:
            text = self._stored_error(_error_message(error))
            await self._recorder.end_tool(call.tool_call_id, error=text)
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            text = self._stored_error(redact(named(error)))
            await self._recorder.end_tool(call.tool_call_id, error=text)
            msg = f"Tool {call.tool_name} raised {text}"
            failed = ToolFailedOnUs(msg)
            failed.__cause__ = error
            self._failures.add(error, Failure(failed, type(error).__name__))
            self._raise_failed(failed, error)
        result, kept = await self._hooks.after_tool(asked, ran, result)
        await self._recorder.end_tool(call.tool_call_id, result=self._stored_result(kept))
        return result

    def _settle_answer(self, message: ModelMessage) -> None:
        """Pydantic AI has set the last of the answer's fields, and it is about to be written."""
        if message is not self._settled and isinstance(message, ModelResponse):
            self._settled = message
            self._recorder.settle_answer(self._bodies.of(message))

    def _raise_failed(self, failed: RunError, error: BaseException) -> NoReturn:
        raise failed from error

    async def _veto(self, call: Call, veto: Veto) -> NoReturn:
        self._vetoed.add(call.call_id)
        await self._recorder.deny_tool(stored_call(call, self._storing), veto.reason)
        raise ToolFailed(veto.reason)

    def _stored_result(self, result: Any) -> Json:
        raw = json_of(said(result.return_value if isinstance(result, ToolReturn) else result))
        if self._storing is None:
            return raw
        return cast(Json, changed_value(raw, "tool_result", self._storing))

    def _stored_error(self, text: str) -> str:
        return self._storing(Text("tool_result", text)) if self._storing else text

    def _close_tools(self, message: ModelRequest) -> None:
        """Calls that no tool ever ran, such as of an unknown tool, are answered here only."""
        for part in message.parts:
            call_id = getattr(part, "tool_call_id", None)
            if call_id is not None:
                if call_id in self._vetoed and isinstance(part, ToolReturnPart):
                    part.outcome = "denied"
                content = getattr(part, "content", None)
                is_result = getattr(part, "outcome", None) == "success"
                self._recorder.close_tool(
                    call_id,
                    result=self._stored_result(content) if is_result else None,
                    error=None if is_result else self._stored_error(_text_of(content)),
                    is_denied=getattr(part, "outcome", None) == "denied",
                )

    def _describe(self, request: ModelRequestContext) -> None:
        if self._described:
            return
        self._described = True
        parameters = request.model_request_parameters
        settings: dict[str, Json] = {
            "tools": [tool.name for tool in parameters.function_tools],
            "model_settings": json_of(_public_settings(request.model_settings or {})),
        }
        outputs = Outputs.of(parameters, request.model).settings()
        if outputs:
            settings["outputs"] = {**outputs}
        trace = trace_id()
        if trace is not None:
            settings["trace_id"] = trace
        self._recorder.describe(instructions=_instructions_of(parameters), settings=settings)


_recording: ContextVar[Recording] = ContextVar("recording")


class AgentRecording(AbstractCapability[object]):
    """Stands on an agent for good, and hands over to the recording of the run.

    A capability that is given to a run makes pydantic-ai combine all capabilities anew for it.
    """

    @staticmethod
    def record_with(recording: Recording) -> None:
        """In the task of the run."""
        _recording.set(recording)

    async def before_run(self, ctx: RunContext[object]) -> None:
        await _recording.get().before_run(ctx)

    def get_wrapper_model(self, model: Model) -> Model | None:
        return _recording.get().get_wrapper_model(model)

    async def before_model_request(
        self, ctx: RunContext[object], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        return await _recording.get().before_model_request(ctx, request_context)

    async def wrap_tool_execute(
        self,
        ctx: RunContext[object],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, object],
        handler: Any,
    ) -> Any:
        return await _recording.get().wrap_tool_execute(
            ctx, call=call, tool_def=tool_def, args=args, handler=handler
        )


def _is_cancelled() -> bool:
    """Whether this task is cancelled, and not only the work of a tool."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _instructions_of(parameters: ModelRequestParameters) -> str | None:
    parts = parameters.instruction_parts or []
    return "\n\n".join(part.content for part in parts) or None


def _public_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """All but where keys travel."""
    return {name: value for name, value in settings.items() if name not in _PRIVATE}


def _error_message(error: Exception) -> str:
    return redact(str(getattr(error, "message", None) or text_of(error)))


def _text_of(content: object) -> str:
    return content if isinstance(content, str) else str(json_of(content))
