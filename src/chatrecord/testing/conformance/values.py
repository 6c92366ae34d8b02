"""Text and results of every kind."""

from __future__ import annotations

import asyncio
import math
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic_ai import Tool
from pydantic_ai.messages import ToolReturnPart

from chatrecord.errors import RunError
from chatrecord.runs.process import Backend
from chatrecord.testing.look import die, load, new_chat, until
from chatrecord.testing.script import Script, call, say

from .shared import AWKWARD, has_result


class ValuesComeBack:
    """Text and results of every kind."""

    async def test_any_text_is_read_as_it_was_stored(self, backend: Backend) -> None:
        script = Script([say(AWKWARD)], [say("ok")])
        chat = await new_chat(
            backend, script, instructions=AWKWARD, title=AWKWARD, metadata={AWKWARD: [AWKWARD]}
        )
        await chat.ask(AWKWARD)

        loaded = await load(backend, chat, Script())
        assert replace(loaded.record, updated_at=chat.record.updated_at) == chat.record
        assert [message.text for message in await loaded.messages()] == [AWKWARD, AWKWARD]

    async def test_any_tool_result_is_read_as_it_was_stored(self, backend: Backend) -> None:
        deep: object = "bottom"
        for _ in range(60):
            deep = [deep]
        results = [
            None, "", [], {}, 0, -0.5, 1e300, 2**80, True, {"": {"ключ": AWKWARD}},
            deep, "x" * 3_000_000,
        ]  # fmt: skip

        def give(n: int) -> Any:
            return results[n]

        script = Script([call("give", n=n) for n in range(len(results))], [say("ok")])
        chat = await new_chat(backend, script, tools=[give])
        await chat.ask("Give")

        for given, row in zip(results, await chat.tool_calls(), strict=True):
            assert row.result == given, str(row.result)[:100]

    async def test_numbers_come_back_to_the_last_digit(self, backend: Backend) -> None:
        results = [12345678901234567891, 2**63, -0.0, 10**400, 0.1 + 0.2, "007"]

        def give(n: int) -> Any:
            return results[n]

        script = Script([call("give", n=n) for n in range(len(results))], [say("ok")])
        chat = await new_chat(backend, script, tools=[give])
        await chat.ask("Give")

        stored = [row.result for row in await chat.tool_calls()]
        assert [repr(result) for result in stored] == [repr(result) for result in results]

    async def test_a_number_of_too_many_digits_is_kept_in_words(self, backend: Backend) -> None:
        """Python itself writes no more than 4,300 of them."""

        def huge() -> int:
            return 10**5000

        chat = await new_chat(backend, Script([call("huge")], [say("on")]), tools=[huge])

        with suppress(RunError):  # what pydantic-ai itself cannot send
            await chat.ask("Give")

        assert await chat.active_run() is None
        (row,) = await chat.tool_calls()
        assert row.status == "complete"
        assert isinstance(row.result, str)
        chat = await load(backend, chat, Script([say("on")]))
        assert (await chat.ask("Go on")).text == "on"

    async def test_odd_results_are_kept_as_they_show_themselves(self, backend: Backend) -> None:
        circle: list[object] = []
        circle.append(circle)
        odd: list[object] = [circle, range(3), ValueError("x")]

        def give(n: int) -> Any:
            return odd[n]

        for n, shown in enumerate(["[[...]]", "range(0, 3)", "ValueError('x')"]):
            chat = await new_chat(backend, Script([call("give", n=n)], [say("ok")]), tools=[give])
            with suppress(RunError):  # what pydantic-ai itself cannot send
                await chat.ask("Give")
            (row,) = await chat.tool_calls()
            assert (row.status, row.result) == ("complete", shown)

    async def test_bytes_in_a_result_are_marked_as_bytes(self, backend: Backend) -> None:
        @dataclass
        class Signed:
            of: str
            by: bytes

        def give(n: int) -> Any:
            return [b"\xff\x00", {"a": [b"Hi"], "b": "_wA="}, Signed("x", b"\x01"), bytearray(b"")][
                n
            ]

        script = Script([call("give", n=n) for n in range(4)], [say("ok")])
        chat = await new_chat(backend, script, tools=[give])
        await chat.ask("Give")

        stored = [row.result for row in await chat.tool_calls()]
        said = {"type": "bytes", "base64": "/wA="}
        assert stored == [
            said,
            {"a": [{"type": "bytes", "base64": "SGk="}], "b": "_wA="},
            {"of": "x", "by": {"type": "bytes", "base64": "AQ=="}},
            {"type": "bytes", "base64": ""},
        ]
        assert isinstance(stored[0], dict)
        assert b64decode(str(stored[0]["base64"])) == b"\xff\x00"

    async def test_bytes_in_a_result_are_sent_as_before(self, backend: Backend) -> None:
        """What the model is told is the same at once, from the history, and once resumed."""

        def give() -> bytes:
            return b"\xff\x00"

        script = Script([call("give"), call("pay")], [say("ok")], [say("and again")])
        pay = Tool(lambda: "paid", name="pay", requires_approval=True)
        chat = await new_chat(backend, script, tools=[give, pay])
        await chat.ask("Give")
        (waiting,) = await chat.pending_approvals()
        await chat.approve(waiting.call_id)
        await chat.resume()
        await chat.ask("Once more")

        sent = [
            part.model_response_str()
            for request in script.requests[1:]
            for message in request
            for part in message.parts
            if isinstance(part, ToolReturnPart) and part.tool_name == "give"
        ]
        assert sent == ["_wA=", "_wA="]

    async def test_bytes_are_sent_as_before_where_their_process_died(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        """Its calls are answered from their rows then."""

        def give() -> bytes:
            return b"\xff\x00"

        async def wait() -> None:
            await asyncio.Event().wait()

        calls = [call("give"), call("wait")]
        script = Script(calls, [say("on")])
        chat = await new_chat(backend, script, tools=[give, wait])
        asking = asyncio.create_task(chat.ask("Give"))
        await until(lambda: has_result(chat))
        await die(backend, chat)

        again = Script([say("on")])
        await (await load(elsewhere, chat, again, tools=[give, wait])).ask("Go on")

        asking.cancel()
        sent = [
            part.model_response_str()
            for message in again.requests[0]
            for part in message.parts
            if isinstance(part, ToolReturnPart) and part.tool_name == "give"
        ]
        assert sent == ["_wA="]

    async def test_a_result_that_is_not_json_is_stored_as_close_as_possible(
        self, backend: Backend
    ) -> None:
        def odd() -> Any:
            return {"at": datetime(2026, 1, 2, tzinfo=UTC), "nan": math.nan, "thing": {3}}

        chat = await new_chat(backend, Script([call("odd")], [say("ok")]), tools=[odd])
        await chat.ask("Odd")

        (row,) = await chat.tool_calls()
        assert row.result == {"at": "2026-01-02T00:00:00Z", "nan": "nan", "thing": [3]}
