"""What an error of a provider says: the reason, never the whole response."""

from __future__ import annotations

import pytest
from pydantic_ai.exceptions import ContentFilterError, ModelHTTPError, UnexpectedModelBehavior

from chatrecord.errors import AnswerInvalid, AnswerRefused
from chatrecord.pydantic_ai.errors import failure_of, run_error
from chatrecord.web.error_responses import problem_of

PAGE = "<html>" + "<p>A page of a gateway.</p>" * 200
DUMP = '{"choices": [{"message": {"content": "' + "private " * 200 + '"}}]}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "No such model"}}, "No such model"),
        ({"message": "No such model"}, "No such model"),
        ({"detail": "No such model"}, "No such model"),
        ({"error": "No such model"}, "No such model"),
    ],
)
def test_it_says_what_the_response_says_of_it(body: object, said: str) -> None:
    failure = failure_of(ModelHTTPError(404, "m", body), ())
    assert str(failure.error) == f"The provider of m answered 404: {said}"


@pytest.mark.parametrize("body", [PAGE, {"choices": [{"text": PAGE}]}, [PAGE]])
def test_it_quotes_no_more_than_the_beginning_of_another_response(body: object) -> None:
    failure = failure_of(ModelHTTPError(502, "m", body), ())
    assert len(str(failure.error)) < 400
    assert str(failure.error).endswith("[...]")


def test_an_answer_that_is_no_answer_is_not_quoted() -> None:
    error = run_error(UnexpectedModelBehavior("Invalid response", body=DUMP))
    assert type(error) is AnswerInvalid
    assert str(error) == "UnexpectedModelBehavior: Invalid response"
    assert "private" not in str(failure_of(UnexpectedModelBehavior("Invalid", DUMP), ()).error)


def test_a_refusal_is_told_in_its_own_words() -> None:
    error = run_error(ContentFilterError("Content filter triggered. Refusal: 'No.'", body=DUMP))
    assert type(error) is AnswerRefused
    assert str(error) == "The model refused to answer. Refusal: 'No.'"


def test_a_page_gets_no_words_of_a_refusal() -> None:
    """What the model said is in the answer; the error may quote a provider."""
    problem = problem_of(AnswerRefused("The model refused to answer. Refusal: 'No.'"))
    assert (problem.status, problem.code) == (422, "answer_refused")
    assert "No." not in problem.message
