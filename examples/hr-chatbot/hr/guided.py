"""For an LLM too small to choose tools: the application chooses, and says so.

In place of the small model on this machine the application calls `search_handbook` with the
question as it is, or another tool where the question has its form. Of the passages found it takes
the one with the sentence nearest to the question. The model gets that passage, and is held to it by
a grammar: it says that sentence, word for word, with as many of the next two as it likes, and cites
it. So its answers can miss the point, but not make up a figure. Each step of the
application's own is an answer of the model `application` in the audit trail: without tokens, and
without cost.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
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

from .embeddings import Embedder
from .tools import passages_of_turn

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

INSTRUCTIONS = "Answer the question with a quote from the text."

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


PER_PLACE = 0.05
"""How much nearer a sentence has to be for each place that its passage was found behind the first.
Of the questions of the evaluation this takes the right passage for 62, where the first is right for
54."""


class Guided(WrapperModel):
    """The small model, with the application's choice of tools before it."""

    def __init__(self, wrapped: Model, embedder: Embedder) -> None:
        super().__init__(wrapped)
        self._embedder = embedder

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
            number, sentences, nearest = await self._chosen(question, passages)
            settings = _quoting(model_settings, grammar_of(sentences[nearest:], number))
            async with self.wrapped.request_stream(
                _prompt(question, " ".join(sentences)), settings, ModelRequestParameters()
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

    async def _chosen(
        self, question: str, passages: Sequence[Mapping[str, Any]]
    ) -> tuple[int, list[str], int]:
        """Of the passages found: the number of one, its sentences, the place of the nearest."""
        texts = [sentences_of(passage["text"]) for passage in passages]
        said = [sentence for sentences in texts for sentence in sentences]
        asked, *vectors = await self._embedder.embed([question[:300], *said])
        cosines = iter(float(asked @ vector) for vector in vectors)
        _, place, nearest = max(
            (next(cosines) - place * PER_PLACE, place, at)
            for place, sentences in enumerate(texts)
            for at in range(len(sentences))
        )
        return passages[place]["number"], texts[place], nearest


def chosen_tool(question: str) -> ToolCallPart:
    """The tool for a question: by its form one of the two about vacation, else the search."""
    # Patterns take the cube of its length: a long one would hold up everybody for hours.
    beginning = question[:300]
    if days := _TIME_OFF.search(beginning):
        first, last, reason = days.groups()
        arguments = {"first_day": first, "last_day": last or first, "reason": reason or ""}
        return ToolCallPart("request_time_off", arguments)
    if _BALANCE.search(beginning):
        return ToolCallPart("check_vacation_balance", {})
    return ToolCallPart("search_handbook", {"query": question[:1000] or "?"})


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


def _quoting(settings: ModelSettings | None, grammar: str) -> ModelSettings:
    """A quote repeats what stands in the prompt, for which there is no penalty then."""
    body = {"grammar": grammar, "repeat_penalty": 1.0}
    return cast(ModelSettings, {**(settings or {}), "temperature": 0.0, "extra_body": body})


def _prompt(question: str, text: str) -> list[ModelMessage]:
    """Examples first, as turns of a chat."""
    messages: list[ModelMessage] = []
    for passage, asked, answer in EXAMPLES:
        messages.append(ModelRequest([UserPromptPart(f"{passage}\n\nQuestion: {asked}")]))
        messages.append(ModelResponse([TextPart(answer)]))
    last = UserPromptPart(f"{text}\n\nQuestion: {question[:300]}")
    return [*messages, ModelRequest([last], instructions=INSTRUCTIONS)]


def sentences_of(text: str) -> list[str]:
    """The text in one line, cut behind what ends a sentence."""
    return re.split(r"(?<=[.!?])\s+", " ".join(_printable(text).split()))


def grammar_of(sentences: Sequence[str], number: int) -> str:
    """In llama.cpp's notation: the first sentence, the next two as it likes, and the number."""
    first, *more = (json.dumps(sentence, ensure_ascii=False) for sentence in sentences[:3])
    rest = ""
    for sentence in reversed(more):
        rest = f' (" " {sentence}{rest})?'
    return f'root ::= {first}{rest} " [{number}]"'


def _printable(text: str) -> str:
    return "".join(it if it.isprintable() else " " for it in text)
