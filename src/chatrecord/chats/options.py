"""The options of a chat in this process, and their checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict, get_args
from uuid import UUID

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

Dispatch: TypeAlias = Callable[[UUID], object]
"""Hands the id of a run to workers. What it returns is awaited if it can be."""

_LISTS = {"tools": "functions", "budgets": "Budget", "hooks": "Hook"}


class RuntimeOptions(TypedDict, total=False):
    """How a chat runs in this process. None of it is stored.

    - `tools`: plain typed functions, sync or async, that the model may call, or tools of the LLM
      library, such as Pydantic AI's `Tool(pay, requires_approval=True)`.
    - `settings`: model settings of Pydantic AI, such as `{"temperature": 0}`.
    - `deps`: the value of `ctx.deps` in the tools of an agent.
    - `limits`, `window`: see `Limits` and `Window`.
    - `on_disconnect`: what happens if the reader leaves: `"continue"` (default) or `"stop"`.
    - `on_busy`: what a question does while another run is active: `"reject"` it with `ChatBusy`
      (default), `"wait"` in the queue, or `"interrupt"` the other run, whose text is kept.
    - `on_parked`: what a question does while tool calls wait for approval: `"reject"` it with
      `ApprovalPending` (default), or `"deny"` the calls and continue.
    - `deliver`: when a chunk is delivered: once it is `"stored"` (default), or `"early"`, which is
      sooner by up to one flush (50 to 200 ms) and its commit. After a crash of the process, a
      reader may then have seen text that is not stored, at most that of a quarter of a second.
    - `budgets`: how much an owner may spend, in all chats and processes: see `Budget`.
    - `retries`: how often a request that failed before its first output is sent again (2).
    - `hooks`: see and change the requests, tool calls and ends of the chat's runs: see `Hook`.
    - `compact`: replace the older part of a long history by a summary: see `Compact`.
    - `titles`: generate a title after an answer is complete, for a chat that has none, with the
      chat's LLM (`True`) or another one, such as `"openai:gpt-5-nano"`.
    - `streaming`: `False` asks the provider for whole answers, if it or a proxy cannot stream.
    - `dispatch`: a function, sync or async, that hands the id of a run to your workers. Then this
      process answers nothing itself: questions are stored with `submit`, and read as they are
      answered. It is also called when the last tool call of a run is decided.
    - `any_agent`: load a chat even if it was created with an agent of another name.
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
    dispatch: Dispatch | None
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
    if (dispatch := options.get("dispatch")) is not None and not callable(dispatch):
        msg = f"dispatch= takes a function of the id of a run, not {dispatch!r}"
        raise TypeError(msg)
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
