"""Whatever a provider's client raises, what had come is kept, and its request has a row."""

from __future__ import annotations

from typing import Any

import pytest

from chatrecord.errors import RunError
from chatrecord.records import ApiRequest
from chatrecord.runs.reduction import Reduction
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, fail, say


def _broken(_error: object) -> None:
    msg = "a fault of the client's own"
    raise ZeroDivisionError(msg)


ODD: dict[str, dict[str, Any]] = {
    "a status as text": {"status_code": "429"},
    "a status of eleven digits": {"status_code": 99_999_999_999},
    "a status that is a list": {"status_code": [429]},
    "a status that fails": {"status_code": property(_broken)},
    "headers as a list": {"headers": [("x-request-id", "r1")]},
    "headers that fail": {"headers": property(_broken)},
    "an id that is a number": {"headers": {"x-request-id": 5}},
    "an id of 300 characters": {"headers": {"x-request-id": "x" * 300}},
    "a wait in words": {"status_code": 503, "retry_after": "soon"},
    "a wait without end": {"status_code": 503, "retry_after": float("nan")},
    "a text that fails": {"__str__": _broken},
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_error_of_a_client_hides_nothing_that_had_come(
    backend: Database, odd: str
) -> None:
    error = type("Odd", (Exception,), ODD[odd])("away")
    chat = await create_chat(backend, Script([say("half"), fail(error)]))

    with pytest.raises(RunError):
        await chat.ask("Go")

    answer = (await chat.messages())[-1]
    (request,) = await chat.requests()
    assert (answer.text, answer.status) == ("half", "failed")
    assert (request.status, request.error_type) == ("failed", "Odd")
    assert request.http_status in (None, 503)
    assert request.provider_request_id is None


async def test_a_wait_in_words_is_no_wait(backend: Database) -> None:
    error = type("Odd", (Exception,), {"status_code": 503, "retry_after": "soon"})("away")
    chat = await create_chat(backend, Script([fail(error)], [say("on")]))

    assert (await chat.ask("Go")).text == "on"


async def test_provider_details_are_dropped_where_they_are_refused(db: Database) -> None:
    chat = await create_chat(db, Script([say("half"), fail(OSError("away"))]))
    with pytest.raises(RunError):
        await chat.ask("Go")
    (request,) = await chat.requests()
    changes = Changes(chat.id)
    changes.changed[request.id] = request
    reduction = Reduction(lambda _: pytest.fail("there are no tool calls"))

    reduced = reduction.next(changes, [])

    assert isinstance(reduced, ApiRequest)
    assert reduced.error is None
    changes.changed[request.id] = reduced
    assert reduction.next(changes, []) is None


async def test_a_number_of_too_many_digits_is_stored_in_words(backend: Database) -> None:
    settings: Any = {"x": 10**5000}
    chat = await create_chat(backend, Script([say("on")]), settings=settings)

    assert (await chat.ask("Go")).text == "on"
