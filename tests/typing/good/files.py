"""Files that go with a question, and a store for them."""

from pathlib import Path

from chatrecord import Attachment, Reply
from chatrecord.attachments import AttachmentStore, FolderStore, FsspecStore
from chatrecord.records import Attached
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.sync import create_chat as create_plain_chat


class Shelf:
    """A store of one's own."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes) -> None:
        self._kept[key] = data

    async def get(self, key: str) -> bytes | None:
        return self._kept.get(key)

    async def delete(self, key: str) -> None:
        self._kept.pop(key, None)


STORES: list[AttachmentStore] = [Shelf(), FolderStore("files"), FsspecStore(object(), "bucket")]


async def use() -> bytes | None:
    db = Database("sqlite:///chats.db", attachments=Shelf())
    chat = await create_chat(db, "openai:gpt-5.2")
    png = Attachment(data=b"...", media_type="image/png", name="chart.png")
    reply: Reply[str] = await chat.ask(
        "see?", attachments=[png, Path("a.pdf"), "https://a.b/c.png"]
    )
    number = await chat.ask("how many?", attachments=[png], output_type=int)
    async with chat.stream("and this?", attachments=[png]) as stream:
        async for chunk in stream:
            print(chunk.text, reply.text, number.output + 1)
    question = (await chat.messages())[0]
    await chat.edit(question.id, "this?", attachments=[png])
    files: tuple[Attached, ...] = question.attachments
    return (await chat.attachment(files[0].hash or "")).data


def plain() -> str:
    chat = create_plain_chat(Database("sqlite://"), "openai:gpt-5.2")
    reply = chat.ask("see?", attachments=[Path("a.pdf")])
    return f"{reply.text} {chat.attachment('0' * 64).name}"
