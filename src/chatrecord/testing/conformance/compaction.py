"""Summaries in the place of older messages: in what is sent, never in the rows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelRequest

from chatrecord.chats.chat import Chat
from chatrecord.errors import LeaseLost, ProviderError
from chatrecord.hooks import MaskPersonalData
from chatrecord.records import Message
from chatrecord.runs.compaction import Compact
from chatrecord.runs.process import Backend
from chatrecord.store.window import Window
from chatrecord.testing.look import answered_calls, die, load, new_chat, spoken, text_of, until
from chatrecord.testing.script import Event, Script, call, fail, hang, meet, say

from .shared import add, read

LONG = "word " * 80
"""About a hundred tokens."""


def rounds(first: int, last: int) -> list[list[Event]]:
    """An answer for each round of these numbers."""
    return [[say(f"a{n} {LONG}")] for n in range(first, last + 1)]


async def ask(chat: Chat, first: int, last: int) -> None:
    for n in range(first, last + 1):
        await chat.ask(f"q{n}")


def heads(messages: list[ModelMessage]) -> list[str]:
    """The first and the last word of what was said, question and answer by turns."""
    said = [text.replace(LONG, "").split() for _, text in spoken(messages)]
    return [words[0] if len(words) == 1 else f"{words[0]} {words[-1]}" for words in said]


class ChatsAreCompacted:
    """Summaries in the place of older messages: in what is sent, never in the rows."""

    async def test_a_summary_replaces_older_messages(self, backend: Backend) -> None:
        script, writer = Script(*rounds(1, 5)), Script([say("The ", "gist")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, instructions="Be brief.", compact=compact)
        await ask(chat, 1, 4)
        before = await chat.messages()

        reply = await chat.ask("q5")

        assert heads(script.requests[3]) == ["q1", "a1", "q2", "a2", "q3", "a3", "q4"]
        assert heads(script.requests[4]) == ["<summary q4", "a4", "q5"]
        first = spoken(script.requests[4])[0][1]
        assert first == "<summary of the conversation so far>\nThe gist\n</summary>\n\nq4"
        assert _instructions(script.requests[4]) == {"Be brief."}
        shown = spoken(writer.requests[0])[0][1]
        assert all(f"{who}{n}" in shown for who in "qa" for n in (1, 2, 3))
        assert "q4" not in shown
        messages = await chat.messages()
        assert messages[:-2] == before
        assert [message.role for message in messages] == ["user", "assistant"] * 5
        (summary,) = await chat.summaries()
        assert (summary.role, summary.text, summary.status) == ("summary", "The gist", "complete")
        assert summary.content == {"covers": before[5].seq}
        request = next(row for row in await chat.requests() if row.message_id == summary.id)
        assert (request.run_id, request.status) == (reply.run_id, "complete")
        assert request.tokens == summary.tokens
        assert reply.usage.requests == 2
        assert (await chat.usage()).requests == 6

    async def test_it_is_sent_again_and_part_of_the_next(self, backend: Backend) -> None:
        script, writer = Script(*rounds(1, 9)), Script([say("Gist one")], [say("Gist two")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, compact=compact)
        await ask(chat, 1, 6)
        again = await load(backend, chat, script, compact=compact)
        await ask(again, 7, 9)

        assert heads(script.requests[5]) == ["<summary q4", "a4", "q5", "a5", "q6"]
        assert heads(script.requests[6]) == ["<summary q4", "a4", "q5", "a5", "q6", "a6", "q7"]
        assert heads(script.requests[7]) == ["<summary q7", "a7", "q8"]
        assert "Gist two" in spoken(script.requests[7])[0][1]
        assert len(writer.requests) == 2
        shown = spoken(writer.requests[1])[0][1]
        assert "Summary of what came before: Gist one" in shown
        assert "q3" not in shown
        assert [each.text for each in await chat.summaries()] == ["Gist one", "Gist two"]

    async def test_without_the_option_all_is_sent(self, backend: Backend) -> None:
        script, writer = Script(*rounds(1, 5)), Script([say("Gist")])
        chat = await new_chat(backend, script, compact=Compact(above=350, keep=1, llm=writer))
        await ask(chat, 1, 5)
        plain = Script(*rounds(6, 6))

        await ask(await load(backend, chat, plain), 6, 6)

        assert heads(plain.requests[0])[::2] == ["q1", "q2", "q3", "q4", "q5", "q6"]

    async def test_the_chats_own_llm_writes_it_otherwise(self, backend: Backend) -> None:
        script = Script(*rounds(1, 4), [say("Gist")], *rounds(5, 5))
        chat = await new_chat(
            backend, script, compact=Compact(above=350, keep=1, instructions="Sum up.")
        )
        await ask(chat, 1, 5)

        assert _instructions(script.requests[4]) == {"Sum up."}
        assert heads(script.requests[5]) == ["<summary q4", "a4", "q5"]

    async def test_what_would_leave_the_window_is_summed_up(self, backend: Backend) -> None:
        script = Script(*[[say(f"a{n}")] for n in range(1, 6)])
        writer = Script([say("Gist")])
        window, compact = Window(messages=8), Compact(keep=2, llm=writer)
        chat = await new_chat(backend, script, window=window, compact=compact)
        for n in range(1, 6):
            await chat.ask(f"a longer question number q{n}")

        assert len(writer.requests) == 1
        assert "Gist" in spoken(script.requests[4])[0][1]
        assert len(spoken(script.requests[4])) == 5

    @pytest.mark.parametrize("answer", ["error", "blank", "long"])
    async def test_where_it_fails_the_chat_goes_on(self, backend: Backend, answer: str) -> None:
        answers = {
            "error": [fail(ModelHTTPError(503, "script"))],
            "blank": [say(" \n")],
            "long": [say(LONG * 9)],
        }
        script, writer = Script(*rounds(1, 6)), Script(answers[answer], [say("Gist")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, compact=compact, retries=0)

        await ask(chat, 1, 6)

        assert heads(script.requests[4])[::2] == ["q1", "q2", "q3", "q4", "q5"]
        assert heads(script.requests[5]) == ["<summary q5", "a5", "q6"]
        assert [each.text for each in await chat.summaries()] == ["Gist"]
        (side_request,) = [row for row in await chat.requests() if row.message_id is None]
        assert side_request.status == ("failed" if answer == "error" else "complete")
        assert (await chat.usage()).requests == 8

    async def test_a_round_is_never_cut(self, backend: Backend) -> None:
        calls = [[call("add", f"c{n}", a=n, b=n)] for n in range(3)]
        script = Script(*rounds(1, 2), *calls, [say(f"done {LONG}")], *rounds(4, 4))
        writer = Script([say("Gist")])
        chat = await new_chat(
            backend, script, tools=[add], compact=Compact(above=250, keep=1, llm=writer)
        )
        await ask(chat, 1, 4)

        assert answered_calls(script.requests[-1]) == ["c0", "c1", "c2"]
        assert heads(script.requests[-1])[0] == "<summary q3"
        assert "q2" in spoken(writer.requests[0])[0][1]

    async def test_an_edit_of_what_it_covers_takes_it_away(self, backend: Backend) -> None:
        script = Script(*rounds(1, 8), [say("b")], [say("c")])
        writer = Script([say("Gist one")], [say("Gist two")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, compact=compact)
        await ask(chat, 1, 8)
        first, second = await chat.summaries()
        asked = next(m for m in await chat.messages() if m.text == "q5")
        assert _covers(first) < asked.seq <= _covers(second)

        await chat.edit(asked.id, "Q5")
        await chat.ask("q6")

        assert [each.status for each in await chat.summaries()] == ["complete", "superseded"]
        assert heads(script.requests[-2]) == ["<summary q4", "a4", "Q5"]
        assert heads(script.requests[-1]) == ["<summary q4", "a4", "Q5", "b", "q6"]
        assert "Gist one" in spoken(script.requests[-1])[0][1]

        early = (await chat.messages(limit=99))[2]
        script.then([say("d")], [say("e")])
        await chat.edit(early.id, "Q2")
        await chat.ask("q3")
        assert [each.status for each in await chat.summaries()] == ["superseded"] * 2
        assert heads(script.requests[-1]) == ["q1", "a1", "Q2", "d", "q3"]

    async def test_an_edit_that_fails_leaves_it(self, backend: Backend) -> None:
        script = Script(*rounds(1, 5), [fail(ModelHTTPError(400, "script"))], *rounds(6, 6))
        writer = Script([say("Gist")])
        chat = await new_chat(
            backend, script, compact=Compact(above=350, keep=1, llm=writer), retries=0
        )
        await ask(chat, 1, 5)

        with pytest.raises(ProviderError):
            await chat.edit((await chat.messages())[0].id, "Q1")
        await ask(chat, 6, 6)

        assert heads(script.requests[-2]) == ["Q1"]
        assert heads(script.requests[-1]) == ["<summary q4", "a4", "q5", "a5", "q6"]

    async def test_regenerate_and_resume_use_it(self, backend: Backend) -> None:
        refusal = [fail(ModelHTTPError(400, "script"))]
        script = Script(*rounds(1, 5), [say("anew")], refusal, [say("resumed")], *rounds(6, 6))
        writer = Script([say("Gist")])
        chat = await new_chat(
            backend, script, compact=Compact(above=350, keep=1, llm=writer), retries=0
        )
        await ask(chat, 1, 5)

        await chat.regenerate()
        with pytest.raises(ProviderError):
            await chat.ask("go on")
        await chat.resume()

        assert heads(script.requests[5]) == ["<summary q4", "a4", "q5"]
        assert heads(script.requests[7]) == ["<summary q4", "a4", "q5", "anew", "go on"]
        assert len(writer.requests) == 1

    async def test_resume_compacts_what_is_older(self, backend: Backend) -> None:
        script = Script(*rounds(1, 4), [fail(ModelHTTPError(400, "script"))], [say("resumed")])
        chat = await new_chat(backend, script, retries=0)
        await ask(chat, 1, 4)
        with pytest.raises(ProviderError):
            await chat.ask("q5")
        compact = Compact(above=350, keep=1, llm=Script([say("Gist")]))

        await (await load(backend, chat, script, compact=compact)).resume()

        assert heads(script.requests[-1]) == ["<summary q4", "a4", "q5"]
        assert [(m.role, m.text) for m in (await chat.messages())[-2:]] == [
            ("user", "q5"), ("assistant", "resumed"),
        ]  # fmt: skip

    async def test_a_repeated_question_is_summed_up_once(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script, writer = Script(*rounds(1, 5)), Script([say("Gist")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, compact=compact)
        await ask(chat, 1, 4)
        reply = await chat.ask("q5", idempotency_key="k")
        twin = await load(elsewhere, chat, Script(), compact=compact)

        again = await twin.ask("q5", idempotency_key="k")

        assert (again.text, again.usage) == (reply.text, reply.usage)
        assert len(writer.requests) == 1

    async def test_followers_do_not_see_it(self, backend: Backend, elsewhere: Backend) -> None:
        script = Script(*rounds(1, 4), [say("five", pause=0.05)])
        writer = Script([say("The ", "gist", pause=0.1)])
        chat = await new_chat(backend, script, compact=Compact(above=350, keep=1, llm=writer))
        await ask(chat, 1, 4)
        asking = asyncio.create_task(chat.ask("q5"))
        await until(lambda: _was_asked(writer))

        stream = (await load(elsewhere, chat, Script())).follow()

        assert text_of(await read(stream)) == "five"
        assert stream.reply.usage == (await asking).usage

    @pytest.mark.parametrize("how", ["dies", "stops"])
    async def test_cut_off_while_it_is_written_nothing_is_left_open(
        self, backend: Backend, elsewhere: Backend, how: str
    ) -> None:
        script, writer = Script(*rounds(1, 4)), Script([say("The gi"), hang()])
        chat = await new_chat(backend, script, compact=Compact(above=350, keep=1, llm=writer))
        await ask(chat, 1, 4)
        asking = asyncio.create_task(chat.ask("q5"))
        await until(lambda: _was_asked(writer))

        if how == "dies":
            await die(backend, chat)
        else:
            assert await chat.stop()

        other, anew = Script(*rounds(6, 6)), Script([say("Gist")])
        twin = await load(elsewhere, chat, other, compact=Compact(above=350, keep=1, llm=anew))
        requests = await twin.requests()
        assert [row.status for row in requests[-2:]].count("interrupted") == len(requests) - 4
        assert await twin.summaries() == []
        await twin.ask("q6")
        assert heads(other.requests[0])[0] == "<summary q5"
        assert [row.status for row in await twin.requests()].count("running") == 0
        asking.cancel()
        with suppress(BaseException):  # cancelled, or ended before it was
            await asking

    async def test_who_has_lost_the_run_writes_no_summary(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        script, late = Script(*rounds(1, 4)), Script([meet(gate.wait), say("Too late")])
        chat = await new_chat(backend, script, compact=Compact(above=350, keep=1, llm=late))
        await ask(chat, 1, 4)
        asking = asyncio.create_task(chat.ask("q5"))
        await until(lambda: _was_asked(late))
        await die(backend, chat)
        compact = Compact(above=350, keep=1, llm=Script([say("Gist")]))
        twin = await load(elsewhere, chat, Script(*rounds(6, 6)), compact=compact)
        await twin.ask("q6")

        gate.set()
        with pytest.raises(LeaseLost):
            await asking

        assert [each.text for each in await twin.summaries()] == ["Gist"]
        assert [m.role for m in await twin.messages()] == ["user", "assistant"] * 6

    async def test_hooks_see_it_and_mask_it(self, backend: Backend) -> None:
        script = Script(*rounds(1, 5))
        writer = Script([say("They wrote to bob@example.com")])
        chat = await new_chat(
            backend,
            script,
            hooks=[MaskPersonalData(rows="mask")],
            compact=Compact(above=350, keep=1, llm=writer),
        )
        await chat.ask("I am ann@example.com")
        await ask(chat, 2, 5)

        assert "[EMAIL_" in str(writer.requests)
        assert "@example.com" not in str([*writer.requests, *script.requests])
        (summary,) = await chat.summaries()
        assert "bob@" not in summary.text

    @pytest.mark.parametrize("values", [{"above": 0}, {"keep": 0}, {"above": "many"}])
    async def test_what_cannot_be_is_refused(
        self, backend: Backend, values: dict[str, Any]
    ) -> None:
        with pytest.raises((TypeError, ValueError), match=r"Compact\((above|keep)=...\) takes"):
            Compact(**values)
        with pytest.raises(ValueError, match="never happens"):
            await new_chat(backend, Script(), window=Window(tokens=100), compact=Compact(above=100))


def _covers(summary: Message) -> int:
    assert isinstance(summary.content, dict)
    covers = summary.content["covers"]
    assert isinstance(covers, int)
    return covers


def _instructions(messages: list[ModelMessage]) -> set[str | None]:
    return {message.instructions for message in messages if isinstance(message, ModelRequest)}


async def _was_asked(script: Script) -> bool:
    return bool(script.requests)
