"""Reads a stored answer as a value, by the rules that applied when it was given."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from pydantic_ai import (
    Agent,
    NativeOutput,
    PromptedOutput,
    RunContext,
    TextOutput,
    ToolOutput,
    UsageLimits,
)
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.output import OutputContext

from chatrecord.errors import AnswerInvalid
from chatrecord.llm.tools import is_repeatable
from chatrecord.records import Message

from .messages import message_of


async def reparse(
    agent: Agent[Any, Any], answer: Message, output_type: Any, deps: object
) -> object:
    """The answer as a value of this type. Raises `AnswerInvalid`.

    No request is made and no tool is run: the answer is put where a model's would be. The agent's
    output validators judge it again. Functions in the place of a type are only run again if they
    are declared repeatable: they may have booked a room.
    """
    response = message_of(answer)
    if not isinstance(response, ModelResponse):
        raise _misfit(answer, output_type)
    reader: Agent[Any, Any] = Agent(
        _StoredAnswer(response),
        output_type=output_type,
        deps_type=type(deps),
        retries=1,  # of two outputs in an answer the second may be the one that fits
        capabilities=[] if all(map(is_repeatable, _functions(output_type))) else [_NotRunAgain()],
    )
    reader.instrument = False
    reader._output_validators = list(getattr(agent, "_output_validators", ()))
    try:
        result = await reader.run("", deps=deps, usage_limits=UsageLimits(request_limit=1))
    except _RunBefore as error:
        msg = (
            f"The stored answer {answer.id} is the result of a function, which is not run again: "
            "mark it with @repeatable, if it may be"
        )
        raise AnswerInvalid(msg) from error
    except AgentRunError as error:
        raise _misfit(answer, output_type) from error
    return result.output


class _RunBefore(Exception):
    """The output comes from a function that must not run again."""


class _NotRunAgain(AbstractCapability[object]):
    """Stops before a function would be run that gives an output."""

    async def wrap_output_process(
        self,
        ctx: RunContext[object],
        *,
        output_context: OutputContext,
        output: object,
        handler: Any,
    ) -> Any:
        if output_context.has_function:
            raise _RunBefore
        return await handler(output)


def _functions(output_type: object) -> Iterator[Callable[..., Any]]:
    """The functions that are used as output types."""
    match output_type:
        case list() | tuple():
            for each in output_type:
                yield from _functions(each)
        case ToolOutput():
            yield from _functions(output_type.output)
        case NativeOutput() | PromptedOutput():
            yield from _functions(output_type.outputs)
        case TextOutput():
            yield output_type.output_function
        case partial() | FunctionType() | MethodType():
            yield output_type


class _StoredAnswer(FunctionModel):
    """A model whose answer is there already."""

    def __init__(self, response: ModelResponse) -> None:
        async def answer(_messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            outputs = {tool.name for tool in info.output_tools}
            parts = [part for part in response.parts if _may_be_output(part, outputs)]
            return replace(response, parts=parts or response.parts)

        calls = any(isinstance(part, ToolCallPart) for part in response.parts)
        super().__init__(
            answer,
            profile={
                "default_structured_output_mode": "tool" if calls else "native",
                "supports_json_schema_output": True,
                "supports_image_output": True,
            },
        )


def _may_be_output(part: object, outputs: Container[str]) -> bool:
    """Whether it is no call of another tool, which was next to the output and has run."""
    return not isinstance(part, ToolCallPart) or part.tool_name in outputs


def _misfit(answer: Message, output_type: object) -> AnswerInvalid:
    wanted = getattr(output_type, "__name__", output_type)
    msg = f"The stored answer {answer.id} is no {wanted}: ask for the type it was given in"
    return AnswerInvalid(msg)
