"""A title for a chat, by an LLM, from how the chat began."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol
from uuid import UUID

from chatrecord.errors import AnswerInvalid, NothingToResume, TimeLimitExceeded
from chatrecord.llm.port import LLM, SideRequest
from chatrecord.runs.budget_reservation import BudgetReservations
from chatrecord.runs.policies import Policies
from chatrecord.runs.side_requests import ChatLedger, send_side_request
from chatrecord.runs.stores import LedgerStore
from chatrecord.store.transcript_store import TranscriptStore
from chatrecord.store.window import begins_round

INSTRUCTIONS = (
    "Write a title for the conversation that you are shown: at most six words, in its language, "
    "without quotation marks. Answer with the title and nothing else."
)

LONGEST = 80
"""Characters of a title that an LLM has written."""

_FIRST = 12
"""Messages at the beginning of a chat that are read."""

_ROUNDS = 2
_CHARACTERS = 2000
"""Of each message, for a title needs no more."""

_QUOTES = "\"'`“”„‟‘’‚«»‹›「」『』*_#"  # noqa: RUF001 - they are meant


class TitleStore(TranscriptStore, LedgerStore, Protocol):
    """What a title is made from, and where its request is written down."""


async def title_for(
    store: TitleStore, chat_id: UUID, llm: LLM, policies: Policies, instructions: str | None = None
) -> str:
    """A title that suits the chat, not stored yet. Raises what tells why there is none."""
    messages = await store.first_messages(chat_id, limit=_FIRST)
    starts = [place for place, message in enumerate(messages) if begins_round(message)]
    if not starts:
        msg = f"Chat {chat_id} has no question yet that a title could be made from"
        raise NothingToResume(msg)
    later = starts[_ROUNDS] if len(starts) > _ROUNDS else len(messages)
    side_request = SideRequest(instructions or INSTRUCTIONS, messages[:later], _CHARACTERS, "title")
    budgets = BudgetReservations(store, policies.budgets, policies.prices, policies.hooks)
    ledger = ChatLedger(store, chat_id, policies.limits, budgets)
    limit = policies.limits.total_timeout
    try:
        async with asyncio.timeout(limit) as clock:
            answer = await send_side_request(llm, side_request, ledger, policies.hooks)
    except TimeoutError as error:
        if not clock.expired():
            raise
        msg = f"The title took longer than {limit:g} s: raise Limits(total_timeout=...)"
        raise TimeLimitExceeded(msg) from error
    finally:
        await ledger.close()
    title = cleaned(answer.stored(answer.text))
    if not title:
        msg = f"The model gave no title, but {answer.text[:LONGEST]!r}"
        raise AnswerInvalid(msg)
    return title


def cleaned(text: str) -> str:
    """The title in what an LLM has answered: one line, without quotation marks, not too long."""
    lines = [line.strip() for line in text.splitlines() if line.strip(f"{_QUOTES} \t")]
    line = re.sub(r"^[*_#\s]*title[*_]*\s*:", "", lines[0], flags=re.IGNORECASE) if lines else ""
    title = " ".join(line.split()).strip(f"{_QUOTES} ")
    if len(title) <= LONGEST:
        return title
    return f"{title[: LONGEST - 1].rsplit(' ', 1)[0].rstrip()}…"
