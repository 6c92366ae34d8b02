"""The base of all hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from .moments import (
    Answered,
    BudgetWarning,
    Replaced,
    RunEnd,
    Sending,
    Text,
    ToolUse,
    ToolUsed,
    Veto,
)

Said = TypeVar("Said")
Soon: TypeAlias = Awaitable[Said] | Said
"""The return value of a hook, or an awaitable of it: each method may be `async`."""


class Hook:
    """Base class. Override the methods that you need.

        class Careful(Hook):
            async def before_tool(self, use: ToolUse) -> Veto | None:
                return Veto("Not on Sundays") if await is_sunday() else None

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[Careful()])

    Hooks run in the given order; each gets the result of the previous one. An exception in a hook
    ends the run: `Refused` is raised as it is, any other exception as `HookFailed`, with the
    exception as its cause.
    """

    def before_request(self, sending: Sending) -> Soon[Sending | None]:
        """Called before each attempt. Return `sending.changed(...)` to send that instead.

        Rows and history do not change.
        """
        return None

    def after_response(self, answered: Answered) -> Soon[None]:
        """Called after each attempt that completed or failed, not after an interrupted one."""
        return None

    def before_tool(self, use: ToolUse) -> Soon[Mapping[str, Any] | Veto | None]:
        """Called before a tool runs. Return other arguments, a `Veto`, or `None`.

        The row of the call has the arguments that ran; the message keeps those of the model.
        """
        return None

    def after_tool(self, used: ToolUsed) -> Soon[Replaced | None]:
        """Called after a tool has returned. Return `Replaced` to give the model another result."""
        return None

    def on_budget_warning(self, warning: BudgetWarning) -> Soon[None]:
        """Called when a budget reaches its `warn_at`, once in each period and process."""
        return None

    def on_run_end(self, end: RunEnd) -> Soon[None]:
        """Called before the end of a run is stored.

        Not called for a parked run or a dead process.
        """
        return None

    def before_store(self, chat_id: UUID, text: Text) -> str:
        """Called with each text that is sent, before it is stored. Return the text to store.

        Texts are prompts, tool arguments and tool results. Must not be `async`. Answers are not
        passed: what is streamed is what is stored.
        """
        return text.text
