"""The LLM of a chat, opened with the options that the chat has in this process."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any

from chatrecord.llm.port import LLM
from chatrecord.runs.policies import Policies
from chatrecord.spending.limits import Limits
from chatrecord.spending.pricing import PriceList

from .options import RuntimeOptions


@dataclass(frozen=True, slots=True)
class OpenedLLM:
    """What answers in a chat: an LLM with its instructions, and how its runs are made.

    `given` is the model string, model or agent that it was made of.
    """

    given: object
    instructions: str | None
    options: RuntimeOptions
    prices: PriceList
    llm: LLM
    policies: Policies

    def changed(self, given: object, instructions: str | None) -> OpenedLLM:
        """Another LLM, or other instructions, with the same options."""
        return open_llm(given, instructions, self.options, self.prices)


def open_llm(
    given: object, instructions: str | None, options: RuntimeOptions, prices: PriceList
) -> OpenedLLM:
    """Open an LLM. Raises `ConfigurationError` for one that cannot be used.

    Its library is imported only here and only now: tables and migrations need none.
    """
    library = import_module("chatrecord.pydantic_ai")
    llm: LLM = library.open_llm(
        given,
        instructions=instructions,
        tools=options.get("tools", ()),
        settings=options.get("settings"),
        deps=options.get("deps"),
        idle_timeout=options.get("limits", Limits()).idle_timeout,
        retries=options.get("retries", 2),
        streaming=options.get("streaming", True),
    )
    policies = _policies(options, prices, llm)
    return OpenedLLM(given, instructions, options, prices, llm, policies)


def is_agent(llm: object) -> bool:
    """Whether this is an agent, whose instructions are those of the code."""
    return bool(import_module("chatrecord.pydantic_ai").is_agent(llm))


def _policies(options: RuntimeOptions, prices: PriceList, llm: LLM) -> Policies:
    names = {field.name for field in fields(Policies)}
    chosen: dict[str, Any] = {name: value for name, value in options.items() if name in names}
    chosen["prices"] = prices
    compact = options.get("compact")
    if compact is not None and compact.llm is not None:
        chosen["compact"] = replace(compact, llm=llm.for_side_requests(compact.llm))
    titles = options.get("titles")
    if titles is None or titles is False:
        chosen["titles"] = None
    else:
        chosen["titles"] = llm if titles is True else llm.for_side_requests(titles)
    return Policies(**chosen)
