"""For an LLM too small to choose tools: the application chooses, and says so.

The small model on this machine can put one passage into a sentence, but not call a tool. So in its
place the application calls `search_handbook` with the question as it is, or another tool where the
question has its form, and the model then gets the best passage. Each step of the application's own
is an answer of the model `application` in the audit trail: without tokens, and without cost.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import (
    CompletedStreamedResponse,
    ModelRequestParameters,
    StreamedResponse,
)
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext

from .tools import passages_of_turn

APPLICATION = "application"

EXAMPLES = """\
Answer the question from the passage, in one or two short sentences.

Passage: Lunch vouchers are worth 7.50 euros a day. They are loaded on the first working day.
Question: What do I get for lunch?
Answer: You get a lunch voucher worth 7.50 euros a day.

Passage: Bicycles may be leased for 36 months. Interns cannot lease one.
Question: Can I lease a bike as an intern?
Answer: No, interns cannot lease a bicycle."""
"""Always the same, so that the model has it in its cache."""

NOTHING_FOUND = (
    "I found nothing about that in the handbook. Try other words, or write to "
    "people@larkfield.example."
)

_DATE = r"(\d{4}-\d{2}-\d{2})"
_BALANCE = re.compile(
    r"how (?:many|much).*\b(?:vacation|holidays?|leave|days? off|time off)\b.*"
    r"\b(?:i have|i got|my|do i (?:still )?have|left|remain)",
    re.IGNORECASE | re.DOTALL,
)
_TIME_OFF = re.compile(
    rf"\b(?:request|book|take|need|want)\b.*?\b(?:off|vacation|holidays?|leave)\b.*?{_DATE}"
    rf"(?:\s*(?:to|until|till|-)\s*{_DATE})?(?:\s*(?:for|because|as)\s+(.+))?",
    re.IGNORECASE | re.DOTALL,
)


class Guided(WrapperModel):
    """The small model, with the application's choice of tools before it."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        stream = self.request_stream(messages, model_settings, model_request_parameters)
        async with stream as opened:
            async for _ in opened:
                pass
            return opened.get()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncIterator[StreamedResponse]:
        question = _question(messages)
        last = messages[-1].parts[-1]
        if isinstance(last, UserPromptPart):
            part: TextPart | ToolCallPart = chosen_tool(question)
        elif passages := passages_of_turn(messages):
            prompt = _prompt(question, passages[0])
            plain = ModelRequestParameters()
            async with self.wrapped.request_stream([prompt], model_settings, plain) as stream:
                yield _Cited(stream, plain, passages[0]["number"])
            return
        else:
            part = TextPart(reported(last))
        response = ModelResponse(
            [part], model_name=APPLICATION, provider_name=APPLICATION, finish_reason="stop"
        )
        yield CompletedStreamedResponse(
            response, model_request_parameters=model_request_parameters, replay_events=True
        )


def chosen_tool(question: str) -> ToolCallPart:
    """The tool for a question: by its form one of the two about vacation, else the search."""
    if days := _TIME_OFF.search(question):
        first, last, reason = days.groups()
        arguments = {"first_day": first, "last_day": last or first, "reason": reason or ""}
        return ToolCallPart("request_time_off", arguments)
    if _BALANCE.search(question):
        return ToolCallPart("check_vacation_balance", {})
    return ToolCallPart("search_handbook", {"query": question[:1000]})


def reported(part: Any) -> str:
    """The result of a tool in words."""
    if isinstance(part, RetryPromptPart):
        return (
            part.content
            if isinstance(part.content, str)
            else "These are no dates that can be booked."
        )
    if part.outcome == "denied":
        return "As you wish: nothing was booked."
    if part.outcome != "success" or part.tool_name == "search_handbook":
        return NOTHING_FOUND if part.tool_name == "search_handbook" else str(part.content)
    result = part.content
    if part.tool_name == "check_vacation_balance":
        return (
            f"You have {result['left']} of {result['entitled']} vacation days left in "
            f"{result['year']}."
        )
    return (
        f"Booked: {result['first_day']} to {result['last_day']}, {result['days']} working days. "
        f"You have {result['left']} left that year."
    )


def _question(messages: list[ModelMessage]) -> str:
    prompts = [
        part.content
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
    last = prompts[-1] if prompts else ""
    return last if isinstance(last, str) else " ".join(it for it in last if isinstance(it, str))


def _prompt(question: str, passage: dict[str, Any]) -> ModelRequest:
    text = re.sub(r"\s+", " ", passage["text"])
    passed = f"Passage: {passage['heading'] or passage['title']}. {text}"
    asked = f"{passed}\nQuestion: {question[:300]}\nAnswer:"
    return ModelRequest([UserPromptPart(asked)], instructions=EXAMPLES)


class _Cited(StreamedResponse):
    """The model's stream, with the number of its passage put behind it by the application."""

    def __init__(
        self, stream: StreamedResponse, parameters: ModelRequestParameters, number: int
    ) -> None:
        super().__init__(parameters)
        self._stream = stream
        self._number = number

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        async for event in self._stream:
            if isinstance(event, PartStartEvent | PartDeltaEvent):
                self._parts_manager.apply_event(event)
                yield event
        said = "".join(getattr(part, "content", "") for part in self._parts_manager.get_parts())
        if f"[{self._number}]" not in said:
            cited = self._parts_manager.handle_text_delta(
                vendor_part_id=None, content=f" [{self._number}]"
            )
            for event in cited:
                yield event

    def get(self) -> ModelResponse:
        response = self._stream.get()
        return replace(response, parts=self._parts_manager.get_parts())

    async def close_stream(self) -> None:
        await self._stream.close_stream()

    @property
    def model_name(self) -> str:
        return self._stream.model_name

    @property
    def provider_name(self) -> str | None:
        return self._stream.provider_name

    @property
    def provider_url(self) -> str | None:
        return self._stream.provider_url

    @property
    def timestamp(self) -> Any:
        return self._stream.timestamp
