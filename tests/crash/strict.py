"""A script that refuses a history that a provider would refuse."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from chatrecord.testing import Script


class StrictScript(Script):
    """Refuses a history that a provider would refuse."""

    async def _answer(self, messages: Any, info: Any) -> Any:
        open_calls: set[str] = set()
        for message in messages:
            assert message.parts, "an empty message"
            for part in message.parts:
                if part.part_kind == "tool-call":
                    open_calls.add(part.tool_call_id)
                elif part.part_kind == "tool-return":
                    open_calls.remove(part.tool_call_id)
                else:
                    assert not (part.part_kind == "user-prompt" and open_calls), (
                        "an unanswered call"
                    )
                    assert not isinstance(part.content, str) or part.content.strip(), (
                        "an empty part"
                    )
        assert not open_calls
        kinds = [message.kind for message in messages]
        assert all(one != next_ for one, next_ in pairwise(kinds))
        async for delta in super()._answer(messages, info):
            yield delta
