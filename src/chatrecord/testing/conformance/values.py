"""Text and results of every kind."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chatrecord.errors import (
    ChatRecordError,
    RunError,
)
from chatrecord.home import Home
from chatrecord.testing.look import (
    load,
    new_chat,
)
from chatrecord.testing.script import Script, call, say

from .shared import AWKWARD


class ValuesComeBack:
    """Text and results of every kind."""

    async def test_any_text_comes_back_as_it_was(self, home: Home) -> None:
        script = Script([say(AWKWARD)], [say("ok")])
        chat = await new_chat(
            home, script, instructions=AWKWARD, title=AWKWARD, metadata={AWKWARD: [AWKWARD]}
        )
        await chat.ask(AWKWARD)

        loaded = await load(home, chat, Script())
        assert replace(loaded.record, updated_at=chat.record.updated_at) == chat.record
        assert [message.text for message in await loaded.messages()] == [AWKWARD, AWKWARD]

    async def test_any_result_of_a_tool_comes_back_as_it_was(self, home: Home) -> None:
        deep: Any = "bottom"
        for _ in range(60):
            deep = [deep]
        results = [
            None, "", [], {}, 0, -0.5, 1e300, 2**80, True, {"": {"ключ": AWKWARD}},
            deep, "x" * 3_000_000,
        ]  # fmt: skip

        def give(n: int) -> Any:
            return results[n]

        script = Script([call("give", n=n) for n in range(len(results))], [say("ok")])
        chat = await new_chat(home, script, tools=[give])
        await chat.ask("Give")

        for given, row in zip(results, await chat.tool_calls(), strict=True):
            assert row.result == given, str(row.result)[:100]

    async def test_numbers_come_back_to_the_last_digit(self, home: Home) -> None:
        results = [12345678901234567891, 2**63, -0.0, 10**400, 0.1 + 0.2, "007"]

        def give(n: int) -> Any:
            return results[n]

        script = Script([call("give", n=n) for n in range(len(results))], [say("ok")])
        chat = await new_chat(home, script, tools=[give])
        await chat.ask("Give")

        stored = [row.result for row in await chat.tool_calls()]
        assert [repr(result) for result in stored] == [repr(result) for result in results]

    async def test_what_cannot_be_stored_ends_the_run_and_not_the_chat(self, home: Home) -> None:
        def huge() -> int:
            return 10**5000

        chat = await new_chat(home, Script([call("huge")], [say("on")]), tools=[huge])

        with pytest.raises(ChatRecordError):
            await chat.ask("Give")

        assert await chat.active_run() is None
        assert (await chat.tool_calls())[0].status == "failed"
        assert (await chat.ask("Go on")).text == "on"

    async def test_odd_results_are_kept_as_they_show_themselves(self, home: Home) -> None:
        circle: list[Any] = []
        circle.append(circle)
        odd: list[Any] = [b"\xff\x00", circle, range(3), ValueError("x")]

        def give(n: int) -> Any:
            return odd[n]

        for n, shown in enumerate(["_wA=", "[[...]]", "range(0, 3)", "ValueError('x')"]):
            chat = await new_chat(home, Script([call("give", n=n)], [say("ok")]), tools=[give])
            with suppress(RunError):  # what pydantic-ai itself cannot send
                await chat.ask("Give")
            (row,) = await chat.tool_calls()
            assert (row.status, row.result) == ("complete", shown)

    async def test_a_result_beyond_json_is_kept_as_near_as_json_comes(self, home: Home) -> None:
        def odd() -> Any:
            return {"at": datetime(2026, 1, 2, tzinfo=UTC), "nan": math.nan, "thing": {3}}

        chat = await new_chat(home, Script([call("odd")], [say("ok")]), tools=[odd])
        await chat.ask("Odd")

        (row,) = await chat.tool_calls()
        assert row.result == {"at": "2026-01-02T00:00:00Z", "nan": "nan", "thing": [3]}
