"""Files are kept once, sent again, and had back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import BinaryContent, DocumentUrl, ModelMessage

from chatrecord.attachments.attachment import Attachment
from chatrecord.attachments.embedded_files import ChatFile, digest
from chatrecord.chats import opening as chats
from chatrecord.errors import AttachmentNotFound, AttachmentTooLarge, ChatBusy, RunError, SentBefore
from chatrecord.pydantic_ai import Persisted, message_history
from chatrecord.runs.compaction import Compact
from chatrecord.runs.process import Backend
from chatrecord.spending.limits import Limits
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Script, call, fail, say

EVERY_BYTE = bytes(range(256))
PICTURE = b"\x89PNG\r\n\x1a\n" + EVERY_BYTE * 20_000
"""Five megabytes."""

PDF = b"%PDF-1.7 " + EVERY_BYTE


class FilesAreKept:
    """Files are kept once, sent again, and had back."""

    async def test_a_file_is_sent_again_with_the_next_question(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("A chart.")]))
        png = Attachment(data=PICTURE, name="chart.png")
        await chat.ask("What is this?", attachments=[png, Attachment(data=PDF)])

        script = Script([say("Blue.")])
        await (await load(backend, chat, script)).ask("Which colour?")

        kinds = [(file.data, file.media_type) for file in _files(script.requests[0])]
        assert kinds == [(PICTURE, "image/png"), (PDF, "application/pdf")]
        assert _files(script.requests[0])[0].identifier == "chart.png"

    async def test_a_file_can_be_had_back(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("A chart.")]))
        await chat.ask("What?", attachments=[Attachment(data=PICTURE, name="\ud800 \x00🧵.png")])

        question, _ = await chat.messages()

        (file,) = question.attachments
        assert (file.hash, file.size) == (digest(PICTURE), len(PICTURE))
        assert (file.media_type, file.name, file.url) == ("image/png", "\ud800 \x00🧵.png", None)
        assert len(str(question.content)) < 2000
        found = await chat.attachment(digest(PICTURE))
        assert found == Attachment(data=PICTURE, media_type="image/png", name="\ud800 \x00🧵.png")

    async def test_a_file_is_of_its_chat_alone(self, backend: Backend) -> None:
        chat, other = [await new_chat(backend, Script([say("Yes.")])) for _ in range(2)]
        await chat.ask("See?", attachments=[Attachment(data=PDF)])
        await other.ask("And you?")

        with pytest.raises(AttachmentNotFound, match="no file"):
            await other.attachment(digest(PDF))

    async def test_a_file_sent_many_times_is_stored_once(self, backend: Backend) -> None:
        def chart() -> BinaryContent:
            return BinaryContent(PDF, media_type="application/pdf")

        script = Script([call("chart")], [say("Drawn.")], [say("The same.")])
        chat = await new_chat(backend, script, tools=[chart])
        await chat.ask("Draw it")
        await chat.ask(["Like this?", chart()], attachments=[Attachment(data=PDF)])

        assert [file.data for file in await _kept(backend, chat.id)] == [PDF]
        assert [file.data for file in _files(script.requests[-1])] == [PDF, PDF, PDF]
        (row,) = await chat.tool_calls()
        assert isinstance(row.result, dict)
        assert row.result["data"], "the raw result"
        messages = await chat.messages()
        assert [len(message.attachments) for message in messages] == [0, 0, 1, 0, 2, 0]

    @pytest.mark.parametrize(
        "data", [{"attachment": "0" * 64}, {"attachment": ["a"]}, {"attachment": None, "was": 1}]
    )
    async def test_a_result_that_looks_like_a_file_is_itself(
        self, backend: Backend, data: object
    ) -> None:
        odd = {"kind": "binary", "media_type": "a/b", "data": data}

        def look() -> dict[str, Any]:
            return odd

        chat = await new_chat(backend, Script([call("look")], [say("Odd.")]), tools=[look])
        await chat.ask("Look")
        again = Script([say("Still.")])
        await (await load(backend, chat, again)).ask("And now?")

        assert [each.result for each in await chat.tool_calls()] == [odd]
        assert odd in [getattr(it, "content", None) for m in again.requests[0] for it in m.parts]

    async def test_an_address_stays_one(self, backend: Backend) -> None:
        address = "https://nowhere.invalid/policy.pdf"
        script = Script([say("Read.")], [say("Again.")])
        chat = await new_chat(backend, script)
        await chat.ask("Read it", attachments=[address])
        await chat.ask("Once more")

        question: Any = script.requests[1][0].parts[0]
        (_, sent) = question.content
        assert isinstance(sent, DocumentUrl)
        assert (sent.url, sent.media_type) == (address, "application/pdf")
        (file,) = (await chat.messages())[0].attachments
        assert (file.url, file.hash, file.name) == (address, None, "policy.pdf")
        assert await _kept(backend, chat.id) == []

    async def test_a_file_that_is_too_large_leaves_nothing_behind(
        self, backend: Backend, tmp_path: Path
    ) -> None:
        large = tmp_path / "large.pdf"
        large.write_bytes(PDF)
        chat = await new_chat(backend, Script(), limits=Limits(attachment_bytes=100))

        for given in (large, Attachment(data=PDF)):
            with pytest.raises(AttachmentTooLarge, match="Limits"):
                await chat.ask("Read it", attachments=[given])
        with pytest.raises(AttachmentTooLarge, match="265 bytes long, and 100 are allowed"):
            await chat.ask(["Read it", BinaryContent(PDF, media_type="application/pdf")])
        with pytest.raises(AttachmentTooLarge):
            await chat.stream("Read it", attachments=[large])

        assert await chat.messages() == []
        assert await _kept(backend, chat.id) == []

    async def test_a_busy_chat_keeps_no_file_of_what_it_refused(self, backend: Backend) -> None:
        asked = asyncio.Event()

        async def slow() -> str:
            asked.set()
            await asyncio.Event().wait()
            return ""

        chat = await new_chat(backend, Script([call("slow")]), tools=[slow])
        first = asyncio.create_task(chat.ask("Wait"))
        await asked.wait()
        with pytest.raises(ChatBusy):
            await chat.ask("See?", attachments=[Attachment(data=PDF)])
        await chat.stop()
        await asyncio.gather(first, return_exceptions=True)

        assert {file.hash for file in await _kept(backend, chat.id)} <= {digest(PDF)}
        assert all(not message.attachments for message in await chat.messages())

    async def test_another_file_is_another_question(self, backend: Backend) -> None:
        script = Script([say("One.")])
        chat = await new_chat(backend, script)
        first = await chat.ask("What?", attachments=[Attachment(data=PDF)], idempotency_key="k")

        again = await chat.ask("What?", attachments=[Attachment(data=PDF)], idempotency_key="k")

        assert again.run_id == first.run_id
        other = Attachment(data=PDF + b"!")
        with pytest.raises(SentBefore):
            await chat.ask("What?", attachments=[other], idempotency_key="k")

    async def test_a_question_that_is_edited_has_new_files(self, backend: Backend) -> None:
        script = Script([say("One.")], [say("Two.")], [say("Three.")])
        chat = await new_chat(backend, script)
        await chat.ask("What?", attachments=[Attachment(data=PDF)])
        question = (await chat.messages())[0]

        await chat.edit(question.id, "This?", attachments=[Attachment(data=PICTURE)])
        await chat.regenerate()

        sent = [[file.data for file in _files(request)] for request in script.requests]
        assert sent == [[PDF], [PICTURE], [PICTURE]]

    async def test_a_resumed_run_sends_its_file_again(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([fail(RuntimeError("away"))]), retries=0)
        with pytest.raises(RunError):
            await chat.ask("What?", attachments=[Attachment(data=PDF)])

        script = Script([say("A policy.")], [say("Yes.")])
        again = await load(backend, chat, script)
        await again.resume()
        await again.ask("Sure?")

        assert [[f.data for f in _files(request)] for request in script.requests] == [[PDF], [PDF]]

    async def test_a_file_of_an_agent_of_ones_own_is_kept(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        script = Script([say("A policy.")])
        agent = Agent(script, capabilities=[Persisted(backend, chat_id=chat.id)])
        await agent.run(["What?", BinaryContent(PDF, media_type="application/pdf")])

        history = await message_history(backend, chat.id)

        assert [file.data for file in _files(history)] == [PDF]
        assert (await chat.messages())[0].attachments[0].hash == digest(PDF)

    async def test_a_summary_is_written_of_words_alone(self, backend: Backend) -> None:
        script = Script(*([say("word " * 100)] for _ in range(6)))
        writer = Script([say("A policy was read.")], [say("A policy was read, and more.")])
        compact = Compact(above=350, keep=1, llm=writer)
        chat = await new_chat(backend, script, compact=compact)
        policy = Attachment(data=PDF, name="policy.pdf")
        await chat.ask("Read it", attachments=[policy])
        for n in range(1, 5):
            await chat.ask(f"q{n}", attachments=[policy] if n == 4 else [])
        await chat.ask("And now?")

        shown = str(writer.requests[0])
        assert "[The file policy.pdf (application/pdf)]" in shown
        assert len(shown) < 10_000
        assert [file.data for file in _files(script.requests[-1])] == [PDF]

    async def test_files_go_with_their_chat(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("Yes.")]))
        await chat.ask("See?", attachments=[Attachment(data=PDF)])
        assert len(await _kept(backend, chat.id)) == 1

        await chats.delete_chat(backend, chat.id, {})

        assert await backend.store.attachment(chat.id, digest(PDF)) is None


def _files(messages: list[ModelMessage]) -> list[BinaryContent]:
    """The files in a request to the LLM, in order."""
    contents: list[object] = [part.content for message in messages for part in message.parts
                           if hasattr(part, "content")]  # fmt: skip
    items = [
        it for content in contents for it in (content if isinstance(content, list) else [content])
    ]
    return [item for item in items if isinstance(item, BinaryContent)]


async def _kept(backend: Backend, chat_id: UUID) -> list[ChatFile]:
    return [
        row async for row in backend.store.rows_of_chat(chat_id, {}) if isinstance(row, ChatFile)
    ]
