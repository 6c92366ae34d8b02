"""The base of all hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from .moments import Answered, Replaced, RunEnd, Sending, Text, ToolUse, ToolUsed, Veto

Said = TypeVar("Said")
Soon: TypeAlias = Awaitable[Said] | Said
"""What a hook returns, or promises to: each method may be `async`."""


class Hook:
    """Sees and changes what a run does. Override what you need; the rest does nothing.

        class Careful(Hook):
            async def before_tool(self, use: ToolUse) -> Veto | None:
                return Veto("Not on Sundays") if await is_sunday() else None

        chat = await create_chat(db, "openai:gpt-5.2", hooks=[Careful()])

    Hooks run in the order given, each on what the one before has made of it. What a hook raises
    ends the run: `Refused` as it is, anything else as `HookFailed` with the exception as its cause.
    """

    def before_request(self, sending: Sending) -> Soon[Sending | None]:
        """Before each attempt at a provider. Return a `changed` one to have that sent instead.

        What is changed is changed for this request only, not in the rows or in the history.
        """
        return None

    def after_response(self, answered: Answered) -> Soon[None]:
        """After each attempt that was answered or has failed; not after one that was cut off."""
        return None

    def before_tool(self, use: ToolUse) -> Soon[Mapping[str, Any] | Veto | None]:
        """Before a tool runs. Return other arguments for it, or a `Veto`.

        The row of the call shows what has really run; the message keeps the model's own arguments.
        """
        return None

    def after_tool(self, used: ToolUsed) -> Soon[Replaced | None]:
        """After a tool has returned. Return a `Replaced` to give the model something else."""
        return None

    def on_run_end(self, end: RunEnd) -> Soon[None]:
        """When a run has come to its end, good or bad, before that is stored.

        Not called while a run waits for approval, nor for a run whose process died.
        """
        return None

    def before_store(self, chat_id: UUID, text: Text) -> str:
        """Each text of what is sent (prompts, tool arguments, tool results) before it is stored.

        Returns what the row is to hold. Never `async`. Answers are not shown here: what is
        streamed is what is stored.
        """
        return text.text
