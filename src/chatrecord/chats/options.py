"""How a chat runs in this process, checked before it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, get_args

from chatrecord.hooks import Hook
from chatrecord.runs.compaction import Compact
from chatrecord.runs.policies import Deliver, OnBusy, OnDisconnect, OnParked
from chatrecord.runs.process import Backend
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.store.window import Window
from chatrecord.text.arguments import (
    check_count,
    check_kinds,
    check_list,
)

_LISTS = {"tools": "functions", "budgets": "Budget", "hooks": "Hook"}


class RuntimeOptions(TypedDict, total=False):
    """How a chat runs in this process. None of it is stored.

    - `tools`: plain typed functions, sync or async, that the model may call, or tools as the LLM
      library makes them, such as pydantic-ai's `Tool(pay, requires_approval=True)`.
    - `settings`: model settings of pydantic-ai, such as `{"temperature": 0}`.
    - `deps`: what the tools of an agent get as `ctx.deps`.
    - `limits`, `window`, `on_disconnect`: see `Limits`, `Window` and `ChatStream`.
    - `on_busy`: what a question does while another run is active: `"reject"` it with `ChatBusy`
      (the default), `"wait"` for its turn, or `"interrupt"` the other, whose text is kept.
    - `on_parked`: what a question does while tool calls wait to be approved: `"reject"` it with
      `ApprovalPending` (the default), or `"deny"` the calls and go ahead.
    - `deliver`: when a piece reaches its reader: once it is `"stored"` (the default), or `"early"`,
      which is sooner by up to one flush (50 ms) and its commit. A killed process may then have
      shown text that is not stored, at most what came within a quarter of a second.
    - `budgets`: what an owner may spend in a day, in all chats and processes: see `Budget`.
    - `retries`: how often a request that failed before its first output is tried again (2).
    - `hooks`: what sees and changes the requests, tool calls and ends of its runs: see `Hook`.
    - `compact`: have the older part of a long history summed up: see `Compact`.
    - `titles`: have a title written for a chat that has none, once an answer is complete, by the
      chat's own LLM (`True`) or by another, such as `"openai:gpt-5-nano"`.
    - `streaming`: `False` asks the provider for whole answers, where it or a proxy cannot stream.
    - `any_agent`: load a chat even though it was created with an agent of another name.
    """

    tools: Sequence[object]
    settings: Mapping[str, Any]
    deps: object
    limits: Limits
    window: Window
    on_disconnect: OnDisconnect
    on_busy: OnBusy
    on_parked: OnParked
    deliver: Deliver
    budgets: Sequence[Budget]
    retries: int
    hooks: Sequence[Hook]
    compact: Compact | None
    titles: object
    streaming: bool
    any_agent: bool


OPTION_NAMES = frozenset(RuntimeOptions.__annotations__)


_CHOICES = {
    "on_disconnect": OnDisconnect,
    "on_busy": OnBusy,
    "on_parked": OnParked,
    "deliver": Deliver,
}


def check_options(options: RuntimeOptions) -> None:
    """Raise `TypeError` or `ValueError` for an option that could not work."""
    given: dict[str, object] = dict(options)
    check_kinds(given, {"limits": Limits, "window": Window, "streaming": bool, "any_agent": bool})
    optional = {"settings": Mapping, "compact": Compact}
    check_kinds({name: it for name, it in given.items() if it is not None}, optional)
    for name, of in _LISTS.items():
        check_list(name, given.get(name, ()), of)
    check_count("retries", given.get("retries", 0), least=0)
    if (compact := options.get("compact")) is not None:
        compact.check(options.get("window", Window()))
    for name, choices in _CHOICES.items():
        known = get_args(choices)
        choice = options.get(name, known[0])
        if choice not in known:
            msg = f"{name}= is one of {', '.join(map(repr, known))}, not {choice!r}"
            raise ValueError(msg)
    for hook in options.get("hooks", ()):
        if not isinstance(hook, Hook):
            msg = f"hooks= takes instances of chatrecord.hooks.Hook, not {hook!r}"
            raise TypeError(msg)


def check_budgets(backend: Backend, options: RuntimeOptions) -> None:
    """Raise `ValueError` for a budget by a column that chats do not have."""
    columns = [*backend.store.chat_columns(), "chat_id"]
    for budget in options.get("budgets", ()):
        if not isinstance(budget, Budget):
            msg = f"budgets= takes a list of Budget, not {budget!r}"
            raise TypeError(msg)
        if budget.by is not None and budget.by not in columns:
            msg = (
                f"Budget(by={budget.by!r}) is no column of a chat: use one of {', '.join(columns)}"
            )
            raise ValueError(msg)
