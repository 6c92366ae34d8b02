"""The hooks of a request outside the transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.records import ApiRequest, Message

from .hook import Hook
from .moments import Answered, Change, Sending
from .run_hooks import Outgoing, RunHooks, called, storing


class SideRequestRows(Protocol):
    """The rows of a side request: its last attempt, and its answer so far."""

    last: ApiRequest | None
    answer: Message


class SideRequestHooks(RunHooks):
    """Calls only the hooks for requests: a side request has no tools and ends no run."""

    def __init__(
        self, hooks: Sequence[Hook], chat_id: UUID, run_id: UUID | None, rows: SideRequestRows
    ) -> None:
        super().__init__(hooks)
        self._chat_id = chat_id
        self._run_id = run_id
        self._request_rows = rows

    @property
    def storing(self) -> Change | None:
        return storing(self._hooks, self._chat_id) if self._hooks else None

    async def after_response(self, error: ChatRecordError | None) -> None:
        last = self._request_rows.last
        for hook in self._those_with("after_response"):
            if last is not None and last.status != "interrupted":
                await called(
                    hook, "after_response", Answered(last, self._request_rows.answer, error)
                )

    def _sending(self, outgoing: Outgoing) -> Sending:
        return Sending(
            chat_id=self._chat_id,
            run_id=self._run_id,
            model=outgoing.target.model,
            provider=outgoing.target.provider,
            prompt=None,
            is_first=False,
            texts=tuple(outgoing.texts()),
            messages=outgoing.messages,
            is_side_request=True,
        )
