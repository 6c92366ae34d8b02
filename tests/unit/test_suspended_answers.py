"""An answer that its provider paused, and that nothing continued."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai.messages import ModelRequest, ModelResponse, NativeToolCallPart, TextPart

from chatrecord.pydantic_ai.messages import body_of, history_of
from unit.test_window import chat

SEARCH = NativeToolCallPart("web_search", {"query": "q"}, "srvtoolu_1", provider_name="anthropic")
PAUSED = ModelResponse(parts=[TextPart("Let me search."), SEARCH], state="suspended")


def test_a_question_after_it_is_sent_with_its_text_and_without_its_open_call() -> None:
    question, answer = chat("ua")
    asked = replace(question, content=body_of(ModelRequest.user_text_prompt("Search")).content)
    paused = replace(answer, text="Let me search.", content=body_of(PAUSED).content)

    *_, last = history_of([asked, paused], is_going_on=False)

    assert isinstance(last, ModelResponse)
    assert (last.state, last.parts) == ("complete", [TextPart("Let me search.")])


def test_a_resume_continues_it() -> None:
    question, answer = chat("ua")
    asked = replace(question, content=body_of(ModelRequest.user_text_prompt("Search")).content)
    paused = replace(answer, text="Let me search.", content=body_of(PAUSED).content)

    *_, last = history_of([asked, paused], is_going_on=True)

    assert isinstance(last, ModelResponse)
    assert last.state == "suspended"
