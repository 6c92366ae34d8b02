"""The hooks of a request that stands beside the transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.records import ApiRequest, Message

from .hook import Hook
from .moments import Answered, Change, Sending
from .run_hooks import Outgoing, RunHooks, called, storing


class AsideRows(Protocol):
    """What has come of it so far."""

    last: ApiRequest | None
    answer: Message


class SideRequestHooks(RunHooks):
    """Calls the hooks for requests alone: a side request has no tools, and its end is no run's."""

    def __init__(
        self, hooks: Sequence[Hook], chat_id: UUID, run_id: UUID | None, rows: AsideRows
    ) -> None:
        super().__init__(hooks)
        self._chat_id = chat_id
        self._run_id = run_id
        self._aside = rows

    @property
    def storing(self) -> Change | None:
        return storing(self._hooks, self._chat_id) if self._hooks else None

    async def after_response(self, error: ChatRecordError | None) -> None:
        last = self._aside.last
        for hook in self._those_with("after_response"):
            if last is not None and last.status != "interrupted":
                await called(hook, "after_response", Answered(last, self._aside.answer, error))

    def _sending(self, draft: Outgoing) -> Sending:
        return Sending(
            chat_id=self._chat_id,
            run_id=self._run_id,
            model=draft.target.model,
            provider=draft.target.provider,
            prompt=None,
            is_first=False,
            texts=tuple(draft.texts()),
            messages=draft.messages,
            is_side_request=True,
        )
