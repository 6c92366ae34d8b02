"""For an LLM too small to choose tools: the application chooses, and says so.

In place of the small model on this machine the application calls `search_handbook` with the
question as it is, or another tool where the question has its form. Of the passages found it chooses
what answers the question, see `answers`: a paragraph, two where both come close, or nothing. The
model is held to that by a grammar: it says the quotes, word for word, and cites them. So its
answers can miss the point, but not make up a figure. Each step of the application's own is an
answer of the model `application` in the audit trail: without tokens, and without cost.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import (
    CompletedStreamedResponse,
    Model,
    ModelRequestParameters,
    StreamedResponse,
)
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext

from .answers import Answers, Quote
from .days import NoSuchDay
from .search import LONGEST_QUERY, Search
from .tools import REFUSED, passages_of_turn
from .wishes import asks_for_balance, time_off_wished

APPLICATION = "application"

EXAMPLES = (
    (
        "Bicycles may be leased for 36 months. Interns cannot lease one. Rates come from pay.",
        "Can I lease a bike as an intern?",
        "Interns cannot lease one. [1]",
    ),
    (
        "Lunch vouchers are worth 7.50 euros a day. They are loaded monthly. Pasta is extra.",
        "What do I get for lunch?",
        "Lunch vouchers are worth 7.50 euros a day. [1]",
    ),
)
"""Always the same, so that the model has them in its cache."""

MOST_MORE = 2
"""Sentences after a quote, which only a paragraph of more than 450 characters has."""

INSTRUCTIONS = "Answer the question with a quote from the text."

NOTHING_FOUND = (
    "I found nothing about that in the handbook. Try other words, or write to "
    "people@larkfield.example."
)

NOTHING_ANSWERS = (
    "None of the passages found seems to answer that. Read them above, try other words, or write "
    "to people@larkfield.example."
)

FAILED = "That did not work. Try again, or write to people@larkfield.example."


class Guided(WrapperModel):
    """The small model, with the application's choice of tools before it."""

    def __init__(self, wrapped: Model, search: Search) -> None:
        super().__init__(wrapped)
        self._answers = Answers(search)

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
        part: TextPart | ToolCallPart
        if isinstance(last, UserPromptPart):
            part = chosen_step(question)
        elif quotes := await self._answers(question, passages_of_turn(messages)):
            settings = _quoting(model_settings, grammar_of(quotes))
            async with self.wrapped.request_stream(
                _prompt(question, quotes), settings, ModelRequestParameters()
            ) as stream:
                yield stream
            return
        else:
            part = TextPart(reported(last))
        response = ModelResponse(
            [part], model_name=APPLICATION, provider_name=APPLICATION, finish_reason="stop"
        )
        yield CompletedStreamedResponse(
            response, model_request_parameters=model_request_parameters, replay_events=True
        )


def chosen_step(question: str) -> TextPart | ToolCallPart:
    """By the form of a question: one of the tools about vacation, else the search."""
    try:
        wish = time_off_wished(question, date.today())
    except NoSuchDay as error:
        return TextPart(f"{REFUSED}: {error}.")
    if wish:
        days = {"first_day": str(wish.first_day), "last_day": str(wish.last_day)}
        return ToolCallPart("request_time_off", {**days, "reason": wish.reason})
    if asks_for_balance(question):
        return ToolCallPart("check_vacation_balance", {})
    return ToolCallPart("search_handbook", {"query": question[:LONGEST_QUERY] or "?"})


def reported(part: Any) -> str:
    """The result of a tool in words."""
    if part.outcome == "denied":
        return "As you wish: nothing was booked."
    if part.tool_name == "search_handbook":
        return NOTHING_ANSWERS if part.content else NOTHING_FOUND
    if part.outcome != "success":
        return part.content if _is_refusal(part.content) else FAILED
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


def _is_refusal(told: Any) -> bool:
    """A sentence of `tools`. A list of errors is for models and the audit trail, not for people."""
    return isinstance(told, str) and told.startswith(REFUSED)


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


def _quoting(settings: ModelSettings | None, grammar: str) -> ModelSettings:
    """A quote repeats what stands in the prompt, for which there is no penalty then."""
    body = {"grammar": grammar, "repeat_penalty": 1.0}
    return cast(ModelSettings, {**(settings or {}), "temperature": 0.0, "extra_body": body})


def _prompt(question: str, quotes: Sequence[Quote]) -> list[ModelMessage]:
    """Examples first, as turns of a chat."""
    messages: list[ModelMessage] = []
    for passage, asked, answer in EXAMPLES:
        messages.append(ModelRequest([UserPromptPart(f"{passage}\n\nQuestion: {asked}")]))
        messages.append(ModelResponse([TextPart(answer)]))
    text = " ".join(sentence for it in quotes for sentence in (it.text, *it.more))
    last = UserPromptPart(f"{text}\n\nQuestion: {question[:300]}")
    return [*messages, ModelRequest([last], instructions=INSTRUCTIONS)]


def grammar_of(quotes: Sequence[Quote]) -> str:
    """In llama.cpp's notation: each quote, what follows it as the model likes, and its number."""
    return "root ::= " + ' "\\n\\n" '.join(map(_rule, quotes))


def _rule(quote: Quote) -> str:
    rest = ""
    for sentence in reversed(quote.more[:MOST_MORE]):
        rest = f' (" " {_literal(sentence)}{rest})?'
    return f'{_literal(quote.text)}{rest} " [{quote.number}]"'


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
