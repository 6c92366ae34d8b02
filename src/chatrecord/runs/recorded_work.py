"""Requests to a provider that no chat makes, such as embeddings: each is a row of the ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import TypeVar
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.llm.port import Answer, Failure
from chatrecord.spending.limits import Limits
from chatrecord.values import Target

from .budget_reservation import BudgetReservations
from .cancellation import run_to_completion
from .current_run import current_run
from .process import Backend
from .row_changes import closed_request, new_request, status_after
from .side_requests import ChatLedger, Ledger

Result = TypeVar("Result")

_NO_CHAT = UUID(int=0)


async def record_request(
    backend: Backend,
    kind: str,
    target: Target,
    *,
    chat_id: UUID | None,
    tokens: int,
    send: Callable[[], Awaitable[Result]],
    answer_of: Callable[[Result], Answer],
    failure_of: Callable[[BaseException], Failure],
) -> Result:
    """Send a request, and store it before and after. In a tool it belongs to the tool's run.

    There the limits and budgets of the run hold. `tokens` is about how long the input is.
    """
    ledger = _ledger(backend, chat_id)
    request = new_request(ledger.chat_id, ledger.run_id, None, target, kind)
    if ledger.chat_id == _NO_CHAT:
        request = replace(request, chat_id=None)
    await ledger.open_side_request(request, target, estimate=lambda: tokens)
    began = perf_counter()

    def ended(answer: Answer | None, failure: Failure | None = None) -> None:
        took = (perf_counter() - began) * 1000
        status = status_after(failure)
        closed = closed_request(request, answer, failure, status, took, prices=ledger.prices)
        ledger.note(closed)

    try:
        result = await send()
    except BaseException as error:
        ended(None, failure_of(error))
        with suppress(ChatRecordError):  # what was raised is what the caller is to hear
            await run_to_completion(ledger.commit())
        raise
    ended(answer_of(result))
    await run_to_completion(ledger.commit())
    return result


def _ledger(backend: Backend, chat_id: UUID | None) -> Ledger:
    run = current_run()
    if run is not None and run.writes_to(backend.store) and chat_id in (None, run.chat_id):
        return run
    budgets = BudgetReservations(backend.store, (), backend.runtime.prices)
    return ChatLedger(backend.store, chat_id or _NO_CHAT, Limits(), budgets)
