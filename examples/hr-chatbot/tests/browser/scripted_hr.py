"""An LLM that answers by what it is asked, so that a browser test can say what happens and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta

from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from chatrecord.testing import Event, call, fail, say, think
from chatrecord.testing.script import Delta

ANSWER = (
    "You can carry **five unused days** into the next year [1].",
    "They lapse on 31 March; the exceptions are parental leave and long illness [1][2].",
)
HOSTILE = (
    "<script>window.broken = 1</script> <img src=x onerror='window.broken = 2'> ",
    "[a link](javascript:window.broken=3) ![a picture](https://tracker.invalid/pixel.png) ",
    "[home](//tracker.invalid/a) [here](/api/me) [note](data:text/html,x) [a file](file:///etc) ",
    "[^1] <style>@import '//tracker.invalid/b';</style> done\n\n[^1]: A footnote",
)
LINK = (
    "See [the rules](https://tracker.invalid/secret?days=5), or [ask](mailto:hr@tracker.invalid). ",
    "Write to people@larkfield.example, or [me@safe.invalid](mailto:me@safe.invalid?cc=x@tracker.invalid).",
)
_RULES = (
    "Leave is asked for in writing, and your manager answers within five working days.",
    "Days that are not taken move into the next year, five of them at most.",
    "A public holiday in your leave does not count as a day of it.",
    "Whoever falls ill on leave gets the days back, with a doctor's certificate.",
)
LONG = tuple(f"({number}) {_RULES[number % 4]} " for number in range(1, 201))


THINKING = 1.5
"""Seconds before each answer to a question with "slowly" in it, as with a model on this machine."""


class Priced(FunctionModel):
    """A script under the name of a model that has a price, so that there are costs to look at."""

    @property
    def system(self) -> str:
        return "openai"


def llm() -> FunctionModel:
    return Priced(stream_function=_answer, model_name="gpt-5.2")


async def _answer(messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[Delta]:
    if "slowly" in _question(messages):
        await asyncio.sleep(THINKING)
    for place, event in enumerate(_events(messages)):
        async for delta in event(place):
            yield delta


def _events(messages: Sequence[ModelMessage]) -> Sequence[Event]:
    last = messages[-1].parts[-1]
    if isinstance(last, ToolReturnPart):
        return _after(last)
    question = _question(messages)
    if "long answer" in question:
        return [say(*LONG, pause=0.05)]
    if "day off" in question:
        friday = str(_next_friday() + timedelta(weeks="another" in question))
        return [
            call("request_time_off", first_day=friday, last_day=friday, reason="a long weekend")
        ]
    for word, words in (("hostile", HOSTILE), ("link", LINK)):
        if word in question:
            return [say(*words)]
    if "overloaded" in question:
        return [say("This is only "), fail(ModelHTTPError(529, "scripted", "overloaded"))]
    return [
        think(
            "The question is about the handbook. ", "I search it for the rule and its exceptions."
        ),
        call("search_handbook", query=question),
    ]


def _after(result: ToolReturnPart) -> Sequence[Event]:
    if result.tool_name == "search_handbook":
        words = [f"{word} " for sentence in ANSWER for word in sentence.split()]
        return [say(*words, pause=0.03)]
    if result.outcome == "denied":
        return [say("As you wish: nothing was booked.")]
    return [say("Your day off is booked.")]


def _question(messages: Sequence[ModelMessage]) -> str:
    prompts = (
        str(part.content)
        for message in reversed(messages)
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    )
    return next(prompts, "")


def _next_friday() -> date:
    """In January, so that the days before it lie in the same year."""
    first = date(date.today().year + 1, 1, 8)
    return first + timedelta(days=(4 - first.weekday()) % 7)
