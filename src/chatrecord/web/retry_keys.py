"""Keys of what a page asks for without an id: twice at once is one run, in any process."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.runs.process import Backend


class RetryKeys:
    """Those of one chat. What came to nothing leaves its key behind: the next has another."""

    def __init__(self, backend: Backend, chat_id: UUID) -> None:
        self._store = backend.store
        self._chat_id = chat_id

    async def of_regeneration(self, answer: UUID) -> str:
        """The key of the run that is to replace this answer (its run's id)."""
        return await self._free("again", answer, "")

    async def of_edit(self, question: UUID, text: str, files: Sequence[Attachment]) -> str:
        """The key of the run that is to replace this question by another text."""
        said = sha256(text.encode("utf-8", "surrogatepass"))
        for file in files:
            said.update(sha256(file.data or b"").digest())
        return await self._free("edit", question, f":{said.hexdigest()}")

    async def _free(self, kind: str, replaced: UUID, said: str) -> str:
        while True:
            key = f"{kind}:{replaced}{said}"
            run = await self._store.run_of_key(self._chat_id, key)
            if run is None or run.status not in ("failed", "interrupted"):
                return key
            replaced = run.id
