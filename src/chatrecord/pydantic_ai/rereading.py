"""A stored answer as the value it stands for, read by the same rules as when it came."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic_ai import Agent, UsageLimits
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from chatrecord.errors import AnswerInvalid
from chatrecord.records import Message

from .messages import message_of


async def reread(agent: Agent[Any, Any], answer: Message, output_type: Any, deps: object) -> object:
    """The value of this type that the answer stands for. Raises `AnswerInvalid`.

    No request is made and no tool is run: the answer is put where a model's would be. The agent's
    output validators judge it again.
    """
    response = message_of(answer)
    if not isinstance(response, ModelResponse):
        raise _misfit(answer, output_type)
    reader: Agent[Any, Any] = Agent(
        _StoredAnswer(response), output_type=output_type, deps_type=type(deps), retries=0
    )
    reader.instrument = False
    reader._output_validators = list(getattr(agent, "_output_validators", ()))
    try:
        result = await reader.run("", deps=deps, usage_limits=UsageLimits(request_limit=1))
    except AgentRunError as error:
        raise _misfit(answer, output_type) from error
    return result.output


class _StoredAnswer(FunctionModel):
    """A model whose answer is there already."""

    def __init__(self, response: ModelResponse) -> None:
        async def answer(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
            return replace(response)

        calls = any(isinstance(part, ToolCallPart) for part in response.parts)
        super().__init__(
            answer,
            profile={
                "default_structured_output_mode": "tool" if calls else "native",
                "supports_json_schema_output": True,
            },
        )


def _misfit(answer: Message, output_type: Any) -> AnswerInvalid:
    wanted = getattr(output_type, "__name__", output_type)
    msg = f"The stored answer {answer.id} is no {wanted}: ask for the type it was given in"
    return AnswerInvalid(msg)
