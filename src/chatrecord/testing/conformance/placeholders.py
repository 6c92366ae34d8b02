"""Placeholders of hooks: restored in answers and tool calls, and kept in rows on request."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chatrecord.errors import ProviderError
from chatrecord.hooks import (
    Hook,
    Sending,
    Text,
)
from chatrecord.records import Chunk
from chatrecord.runs.process import Backend
from chatrecord.testing.look import dumped, load, new_chat, spoken, text_of
from chatrecord.testing.script import Script, call, fail, say


class Standing(Hook):
    """Sends `<N>` in the place of Ann."""

    def before_request(self, sending: Sending) -> Sending:
        changed = sending.changed(lambda text: text.text.replace("Ann", "<N>"))
        return replace(changed, in_calls={"<N>": "Ann"}, in_text={"<N>": "Ann"})


class Keeping(Hook):
    """Keeps Ann out of the rows."""

    def before_store(self, chat_id: UUID, text: Text) -> str:
        return text.text.replace("Ann", "<N>")


class PlaceholdersAreRestored:
    """Placeholders of hooks: restored in answers and tool calls, and kept in rows on request."""

    @pytest.mark.parametrize("pieces", [["Dear <N>, <No"], list("Dear <N>, <No")])
    async def test_what_stands_for_something_is_restored_wherever_it_is_cut(
        self, backend: Backend, pieces: list[str]
    ) -> None:
        script = Script([say(*pieces, pause=0.06 if len(pieces) > 1 else 0)])
        chat = await new_chat(backend, script, hooks=[Standing()])
        chunks = [chunk async for chunk in chat.stream("Write to Ann")]

        assert text_of(chunks) == "Dear Ann, <No"
        assert [message.text for message in await chat.messages()] == [
            "Write to Ann", "Dear Ann, <No",
        ]  # fmt: skip
        assert spoken(script.requests[0]) == [("user", "Write to <N>")]

    async def test_a_partial_answer_is_restored_too(self, backend: Backend) -> None:
        script = Script([say("Dear <N>, <"), fail(RuntimeError("cut"))])
        chat = await new_chat(backend, script, retries=0, hooks=[Standing()])
        chunks: list[Chunk] = []

        async def listen() -> None:
            async for chunk in chat.stream("Write to Ann"):
                chunks.append(chunk)  # noqa: PERF401 - they are kept although an error ends them

        with pytest.raises(ProviderError):
            await listen()

        assert text_of(chunks) == (await chat.messages())[-1].text == "Dear Ann, <"

    async def test_a_tool_gets_the_value_behind_the_placeholder(self, backend: Backend) -> None:
        def greet(name: str) -> str:
            return f"Hello {name}"

        script = Script([call("greet", "c1", name="<N>")], [say("Done")])
        chat = await new_chat(backend, script, tools=[greet], hooks=[Standing()])
        reply = await chat.ask("Greet Ann")

        assert reply.tool_calls[0].result == "Hello Ann"
        sent = str(dumped(script.requests[1]))
        assert "Hello <N>" in sent
        assert "Ann" not in sent

    async def test_what_is_kept_out_of_the_rows_is_in_none(self, backend: Backend) -> None:
        def greet(name: str) -> str:
            assert name == "Ann"
            return f"Hello {name}"

        hooks = [Standing(), Keeping()]
        script = Script([call("greet", "c1", name="<N>")], [say("Done")], [say("on")])
        chat = await new_chat(backend, script, tools=[greet], hooks=hooks)
        await chat.ask("Greet Ann")
        rows = [await chat.messages(), await chat.tool_calls(), await chat.requests()]

        assert "Ann" not in str(rows)
        assert [row.result for row in await chat.tool_calls()] == ["Hello <N>"]
        await (await load(backend, chat, script, hooks=hooks)).ask("Again")
        assert spoken(script.requests[2])[0] == ("user", "Greet <N>")

    async def test_the_same_send_is_known_although_its_row_is_changed(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("Hi")]), hooks=[Keeping()])
        first = await chat.ask("I am Ann", idempotency_key="k")

        assert (await chat.ask("I am Ann", idempotency_key="k")).run_id == first.run_id
