"""A scripted LLM for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Self

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import Tool

from chatrecord.chats.chat import Chat

from .script_events import Delta, Event, call, fail, hang, meet, say, think
from .stored_chat import Stored, StoredAnswer, question_in, read_stored

__all__ = ["Delta", "Event", "Script", "call", "fail", "hang", "meet", "say", "think"]


class Script(FunctionModel):
    """A Pydantic AI model that streams one scripted answer for each request, in order.

        llm = Script([call("add", a=1, b=2)], [say("It is ", "three.")])

    `requests` has the messages of each request. A request beyond the end of the script fails the
    test.
    """

    def __init__(self, *answers: Sequence[Event]) -> None:
        super().__init__(stream_function=self._answer, model_name="script")
        self._answers: list[Sequence[Event] | StoredAnswer] = _checked(answers)
        self._failed: tuple[StoredAnswer, int, str | None] | None = None
        self._stored = Stored([], [], [], strict=False)
        self.requests: list[list[ModelMessage]] = []
        self.tools_offered: list[list[str]] = []

    @classmethod
    async def from_chat(
        cls,
        chat: Chat[Any, Any],
        *,
        strict: bool = True,
        approval: Collection[str] = (),
        limit: int = 1000,
    ) -> Self:
        """Return a script that answers as the model did in a stored chat.

            script = await Script.from_chat(await load_chat(db, "test", chat_id))
            chat = await create_chat(test_db, script, tools=script.tools)
            for question in script.questions:
                await chat.ask(question)

        It streams the text, the reasoning and the tool calls of each answer, with the ids of the
        calls. A failed or interrupted answer streams what was stored of it, and then raises an
        error of the same kind. Answers that were replaced are left out.

        `tools` return the recorded results, and raise `AssertionError` for arguments that were not
        recorded. `approval` names the tools whose calls wait for approval. With `strict`, a request
        fails if it does not ask the stored question, and says which was expected. `limit` is the
        most messages that are read; `ValueError` is raised for a chat that has more.
        """
        script = cls()
        script._stored = await read_stored(chat, strict=strict, approval=approval, limit=limit)
        script._answers.extend(script._stored.answers)
        return script

    @property
    def questions(self) -> list[str]:
        """The texts of the questions of the stored chat, in order; see `from_chat`."""
        return list(self._stored.questions)

    @property
    def tools(self) -> list[Tool[Any]]:
        """Tools that return the results of the stored chat; see `from_chat`."""
        return list(self._stored.tools)

    def then(self, *answers: Sequence[Event]) -> None:
        """Append these answers."""
        self._answers.extend(_checked(answers))

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Delta]:
        self.requests.append(list(messages))
        self.tools_offered.append([tool.name for tool in info.function_tools])
        for place, event in enumerate(self._next_answer(messages)):
            async for delta in event(place):
                yield delta

    def _next_answer(self, messages: list[ModelMessage]) -> Sequence[Event]:
        question = question_in(messages)
        if self._is_tried_again(length := sum(len(it.parts) for it in messages), question):
            assert self._failed is not None
            return self._failed[0].events
        if not self._answers:
            msg = f"The script has no answer for request {len(self.requests)}"
            raise AssertionError(msg)
        answer = self._answers.pop(0)
        if not isinstance(answer, StoredAnswer):
            return answer
        if self._stored.strict:
            answer.check(question)
        self._failed = (answer, length, question) if answer.is_failed else None
        return answer.events

    def _is_tried_again(self, length: int, question: str | None) -> bool:
        """Whether this is the request that has just failed: a chat tries some errors again."""
        if self._failed is None or self._failed[1:] != (length, question):
            return False
        following = self._answers[0] if self._answers else None
        return not (isinstance(following, StoredAnswer) and following.question == question)


def _checked(answers: Sequence[Sequence[Event]]) -> list[Sequence[Event] | StoredAnswer]:
    for answer in answers:
        is_list = isinstance(answer, list | tuple)
        if not is_list or not answer or not all(callable(event) for event in answer):
            msg = f"An answer of a Script is a list of events, such as [say('Hi')], not {answer!r}"
            raise TypeError(msg)
    return list(answers)
