"""Answers that their provider pauses, and that the LLM library has it continue within one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ThinkingPart,
)


@dataclass(frozen=True, slots=True)
class Pause:
    """What a request continues: an answer that its provider paused."""

    answer: ModelResponse
    streamed: bool
    """Whether the continuation is streamed."""

    @classmethod
    def before(cls, messages: Sequence[ModelMessage], *, streamed: bool) -> Pause | None:
        """The pause that a request with these messages ends, such as a `pause_turn`."""
        last = messages[-1] if messages else None
        if isinstance(last, ModelResponse) and last.state == "suspended":
            return cls(last, streamed)
        return None

    def whole(self, response: ModelResponse) -> ModelResponse:
        """The answer so far, of which this response is the newest part, or all of it."""
        if self._is_other_model(response) or (self._is_same_job(response) and not self._resumes):
            return response
        return replace(response, parts=_joined(self.answer.parts, response.parts))

    def for_library(self, response: ModelResponse) -> ModelResponse:
        """What pydantic-ai makes the whole answer of.

        It takes a response of the same job for all of it, but a stream that is resumed has the rest
        only.
        """
        is_rest = self._resumes and self._is_same_job(response)
        return self.whole(response) if is_rest else response

    @property
    def _resumes(self) -> bool:
        """Whether the stream of a job begins where it was cut, as of OpenAI's background mode."""
        return self.streamed and "last_sequence_number" in (self.answer.provider_details or {})

    def _is_same_job(self, response: ModelResponse) -> bool:
        job = self.answer.provider_response_id
        return job is not None and job == response.provider_response_id

    def _is_other_model(self, response: ModelResponse) -> bool:
        return len({self.answer.model_name, response.model_name} - {None}) > 1


def _joined(
    before: Sequence[ModelResponsePart], after: Sequence[ModelResponsePart]
) -> list[ModelResponsePart]:
    """The parts of both; one that was cut within its text is one part."""
    last, first = before[-1] if before else None, after[0] if after else None
    if not isinstance(last, TextPart | ThinkingPart) or type(first) is not type(last):
        return [*before, *after]
    if last.id is None or last.id != first.id:
        return [*before, *after]
    return [*before[:-1], replace(last, content=last.content + first.content), *after[1:]]
