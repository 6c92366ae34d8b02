"""Typed answers, whichever way they come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryImage, NativeOutput
from pydantic_ai.messages import FilePart, ModelResponse
from pydantic_ai.models.function import FunctionModel

from chatrecord.errors import AnswerInvalid
from chatrecord.llm.tools import repeatable
from chatrecord.records import Reply
from chatrecord.runs.policies import OnBusy
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Event, Script, call, fail, say

from .shared import read


class Invoice(BaseModel):
    """What an answer is to be."""

    number: str
    total: int


FIRST = Invoice(number="A-1", total=12)
PICTURE = BinaryImage(b"\x89PNG\r\n\x1a\n", media_type="image/png")
SECOND = Invoice(number="A-2", total=7)


def answer(invoice: Invoice) -> list[Event]:
    """An answer as models give it that answer with types by calling a tool."""
    return [call("final_result", **invoice.model_dump())]


class AnswersAreTyped:
    """The type that was asked for, of an answer that is new, repeated, read again or replaced."""

    async def test_a_stream_ends_with_the_type(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(answer(FIRST)))

        stream = chat.stream("The invoice?", output_type=Invoice)
        await read(stream)

        assert stream.reply.output == FIRST

    async def test_a_repeated_question_gives_the_type_again(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(answer(FIRST)))
        twin = await load(backend, chat, Script())

        first = await chat.ask("The invoice?", output_type=Invoice, idempotency_key="k")
        again = await twin.ask("The invoice?", output_type=Invoice, idempotency_key="k")

        assert first.output == again.output == FIRST
        assert again.run_id == first.run_id

    async def test_whoever_follows_may_ask_for_the_type(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(answer(FIRST)))
        await chat.ask("The invoice?", output_type=Invoice)
        twin = await load(backend, chat, Script())

        assert (await twin.follow(output_type=Invoice)).output == FIRST
        assert (await twin.follow()).output == ""

    async def test_an_answer_of_another_type_is_reported(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("Twelve.")]))
        await chat.ask("How much?")

        with pytest.raises(AnswerInvalid, match="is no Invoice"):
            await chat.follow(output_type=Invoice)

    async def test_an_answer_that_is_json_itself_is_read_again(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say(FIRST.model_dump_json())]))
        await chat.ask("The invoice, as JSON?")

        assert (await chat.follow(output_type=Invoice)).output == FIRST

    async def test_what_replaces_an_answer_is_typed(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(answer(FIRST), answer(SECOND), answer(FIRST)))
        await chat.ask("The invoice?", output_type=Invoice)

        assert (await chat.regenerate(output_type=Invoice)).output == SECOND
        question = (await chat.messages())[0]
        edited = await chat.edit(question.id, "The first one?", output_type=Invoice)
        assert edited.output == FIRST

    async def test_what_is_resumed_is_typed(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([fail(OSError("gone"))], answer(FIRST)))
        with pytest.raises(Exception, match="gone"):
            await chat.ask("The invoice?", output_type=Invoice)

        assert (await chat.resume(output_type=Invoice)).output == FIRST

    @pytest.mark.parametrize("output_type", [Invoice, NativeOutput(Invoice)])
    async def test_an_agents_own_type_is_given_again(
        self, backend: Backend, output_type: object
    ) -> None:
        said = answer(FIRST) if output_type is Invoice else [say(FIRST.model_dump_json())]
        script = Script(said)
        script._profile = {"supports_json_schema_output": True}
        agent = Agent(script, name="clerk", output_type=output_type)  # type: ignore[call-overload]
        chat = await new_chat(backend, agent)

        replies: list[Reply[Any]] = [
            await chat.ask("The invoice?", idempotency_key="k") for _ in range(2)
        ]

        assert [reply.output for reply in replies] == [FIRST, FIRST]
        followed: Reply[Any] = await (await load(backend, chat, agent)).follow()
        assert followed.output == FIRST

    async def test_a_function_that_gives_the_output_is_not_run_again(
        self, backend: Backend
    ) -> None:
        booked: list[int] = []

        def book(room: int) -> str:
            """Book a room."""
            booked.append(room)
            return f"{room} is booked"

        output: Any = book
        agent = Agent(Script([call("final_result", room=7)]), output_type=output)
        chat = await new_chat(backend, agent)
        first = await chat.ask("Room 7?", idempotency_key="k")
        assert first.output == "7 is booked"

        again = await (await load(backend, chat, agent)).ask("Room 7?", idempotency_key="k")
        with pytest.raises(AnswerInvalid, match="@repeatable"):
            await chat.follow(output_type=output)

        assert (again.output, booked) == ("", [7])
        assert (await chat.follow(output_type=repeatable(output))).output == "7 is booked"

    async def test_other_calls_next_to_the_output_do_not_hide_it(self, backend: Backend) -> None:
        def look() -> str:
            return "seen"

        answers = [call("look"), call("final_result", number="A"), *answer(FIRST)]
        chat = await new_chat(backend, Script(answers), tools=[look])
        first = await chat.ask("The invoice?", output_type=Invoice)

        assert first.output == FIRST
        assert (await chat.follow(output_type=Invoice)).output == FIRST
        assert len(await chat.tool_calls()) == 1

    async def test_a_picture_is_given_again(self, backend: Backend) -> None:
        async def draw(_messages: object, _info: object) -> ModelResponse:
            return ModelResponse([FilePart(PICTURE)])

        model = FunctionModel(draw, profile={"supports_image_output": True})
        agent = Agent(model, output_type=BinaryImage)
        chat = await new_chat(backend, agent)

        replies: list[Reply[Any]] = [await chat.ask("Draw", idempotency_key="k") for _ in range(2)]

        assert [reply.output for reply in replies] == [PICTURE, PICTURE]

    async def test_two_at_once_get_one_typed_answer(self, backend: Backend) -> None:
        on_busy: OnBusy = "wait"
        chat = await new_chat(backend, Script(answer(FIRST)), on_busy=on_busy)

        replies = await asyncio.gather(
            *(chat.ask("It?", output_type=Invoice, idempotency_key="k") for _ in range(3))
        )

        assert [reply.output for reply in replies] == [FIRST] * 3
        assert len({reply.run_id for reply in replies}) == 1
