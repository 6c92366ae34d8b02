"""How the runs of a chat go: what an application may choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from chatrecord.hooks.hook import Hook
from chatrecord.llm.port import LLM
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.spending.pricing import LIST_PRICES, PriceList
from chatrecord.store.window import Window

from .compaction import Compact

OnDisconnect = Literal["continue", "stop"]
"""What becomes of a run whose reader is gone."""

OnBusy = Literal["reject", "wait", "interrupt"]
"""What becomes of a question while another run of the chat is active."""

OnParked = Literal["reject", "deny"]
"""What becomes of a question while tool calls of the chat wait to be approved."""

Deliver = Literal["stored", "early"]
"""When a piece of an answer reaches its readers: once it is stored, or a moment before."""


@dataclass(frozen=True, slots=True)
class Policies:
    """How the runs of a chat go. Never stored: every process that loads a chat sets its own."""

    limits: Limits = field(default_factory=Limits)
    window: Window = field(default_factory=Window)
    on_disconnect: OnDisconnect = "continue"
    on_busy: OnBusy = "reject"
    on_parked: OnParked = "reject"
    deliver: Deliver = "stored"
    budgets: Sequence[Budget] = ()
    prices: PriceList = LIST_PRICES
    hooks: Sequence[Hook] = ()
    compact: Compact | None = None
    titles: LLM | None = None
