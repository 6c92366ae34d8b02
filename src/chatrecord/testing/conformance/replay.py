"""What the next request sends along."""

from __future__ import annotations

from pydantic_ai.messages import ModelRequest, ThinkingPart

from chatrecord.runs.process import Backend
from chatrecord.store.window import Window
from chatrecord.testing.look import answered_calls, dumped, load, new_chat, spoken
from chatrecord.testing.script import Script, call, say, think

from .shared import add


class HistoryIsReplayed:
    """What the next request sends along."""

    async def test_a_loaded_chat_sends_what_the_held_one_would_have(self, backend: Backend) -> None:
        script = Script(
            [
                think("plan", signature="sig=="),
                say("Adding."),
                call("add", "c1", a=1, b=2),
                call("add", "c2", a=3, b=4),
            ],
            [think("so", signature="sig2=="), say("3 and 7")],
        )
        chat = await new_chat(backend, script, tools=[add], instructions="Be exact.")
        await chat.ask("Add")
        held = script.requests[-1]

        again = Script([say("yes")])
        await (await load(backend, chat, again, tools=[add])).ask("Sure?")

        replayed = again.requests[-1]
        assert dumped(replayed[: len(held)]) == dumped(held)
        thought, text = replayed[len(held)].parts
        assert isinstance(thought, ThinkingPart)
        assert (thought.signature, text.part_kind) == ("sig2==", "text")

    async def test_instructions_are_sent_with_every_question(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a")]), instructions="Answer in French.")
        await chat.ask("one")
        script = Script([say("b")])

        await (await load(backend, chat, script)).ask("two")

        (*_, last) = script.requests[-1]
        assert isinstance(last, ModelRequest)
        assert last.instructions == "Answer in French."

    async def test_a_turn_reads_only_its_window(self, backend: Backend) -> None:
        script = Script(*[[say(f"a{n}")] for n in range(6)])
        chat = await new_chat(backend, script, window=Window(messages=4))
        for n in range(6):
            await chat.ask(f"q{n}")

        assert [text for _, text in spoken(script.requests[-1])] == ["q3", "a3", "q4", "a4", "q5"]

    async def test_a_window_never_begins_inside_a_tool_round(self, backend: Backend) -> None:
        rounds = [[call("add", a=n, b=n)] for n in range(5)]
        script = Script([say("a0")], *rounds, [say("sum")], [say("end")])
        chat = await new_chat(backend, script, tools=[add], window=Window(messages=3))
        await chat.ask("q0")
        await chat.ask("q1")

        await chat.ask("q2")

        first = script.requests[-1][0]
        assert isinstance(first, ModelRequest)
        assert first.parts[0].part_kind == "user-prompt"
        assert "q1" in str(first)
        assert len(answered_calls(script.requests[-1])) == 5
