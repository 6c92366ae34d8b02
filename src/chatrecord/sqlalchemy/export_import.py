"""Exports and imports of chats, with the columns of your chats as keywords."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import overload
from uuid import UUID

from chatrecord.chats.titles import checked_title
from chatrecord.records import ChatRecord
from chatrecord.text.arguments import check_text
from chatrecord.transfer import Lines, histories
from chatrecord.transfer import chats as transfer
from chatrecord.transfer.histories import ChatFields, HistoryFormat

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade


@overload
def export_chat(
    db: Database[ReadyMade, Metadata], chat_id: UUID | str, *, user_id: str | None = ...
) -> AsyncGenerator[str]: ...


@overload
def export_chat(
    db: Database[OwnChat, Metadata], chat_id: UUID | str, **scope: object
) -> AsyncGenerator[str]: ...


def export_chat(db: AnyDatabase, chat_id: UUID | str, **scope: object) -> AsyncGenerator[str]:
    """Export a chat with everything in it, as lines of JSON without their newlines.

        async for line in export_chat(db, chat_id):
            file.write(line + "\\n")

    One transaction reads the chat as it is now, page by page: read to the end without long pauses.
    An answer that is still streaming is exported with its stored part. Raises `ChatNotFound` with
    the first line, and `TypeError` for a value in a column of your own that has no text form.
    """
    check(db, "export_chat", scope, others=[])
    return transfer.export_chat(db, chat_id, scope)


@overload
async def import_chat(
    db: Database[ReadyMade, Metadata],
    lines: Lines,
    *,
    new_ids: bool = False,
    user_id: str | None = ...,
) -> ChatRecord: ...


@overload
async def import_chat(
    db: Database[OwnChat, Metadata], lines: Lines, *, new_ids: bool = False, **columns: object
) -> ChatRecord: ...


async def import_chat(
    db: AnyDatabase, lines: Lines, *, new_ids: bool = False, **columns: object
) -> ChatRecord:
    """Import the lines of `export_chat`, into this or another database. Returns the chat's row.

        with open("chat.jsonl") as file:
            record = await import_chat(db, file)

    All lines are read and checked first; then one transaction writes them. Columns of your chats
    are taken from the export if this database has them, and keywords replace them. An active run
    becomes `interrupted`; a run that waits for approval keeps waiting.

    Raises `ImportInvalid` for an incomplete or invalid export, with its line, and `ChatExists` if a
    chat with this id exists; `new_ids=True` imports a copy with new ids.
    """
    check(db, "import_chat", columns, others=["new_ids"])
    return await transfer.import_chat(db, lines, new_ids=new_ids, columns=columns)


@overload
async def import_history(
    db: Database[ReadyMade, Metadata],
    messages: object,
    *,
    format: HistoryFormat,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, object] | None = None,
    user_id: str | None = None,
) -> ChatRecord: ...


@overload
async def import_history(
    db: Database[OwnChat, Metadata],
    messages: object,
    *,
    format: HistoryFormat,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, object] | None = None,
    **columns: object,
) -> ChatRecord: ...


async def import_history(
    db: AnyDatabase,
    messages: object,
    *,
    format: HistoryFormat,  # noqa: A002 - the usual name
    instructions: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, object] | None = None,
    **columns: object,
) -> ChatRecord:
    """Create a chat from a history that another library has kept. Returns its row.

        record = await import_history(db, messages, format="openai", user_id="u1")
        chat = await load_chat(db, "openai:gpt-5.2", record.id)

    `messages` is a list of dictionaries, or JSON of one: `"pydantic-ai"` as
    `ModelMessagesTypeAdapter` dumps it, `"openai"` as chat completions send and return it,
    `"langchain"` as `messages_to_dict` dumps it. Messages, runs and tool calls become rows as if
    the chat had taken place here; requests do not, because the history does not contain them. The
    default `instructions` are those of the history. Other keywords set columns of your chat table.

    Raises `ImportInvalid`, which names the message; then nothing is written.
    """
    named = ["format", "instructions", "title", "metadata"]
    check(db, "import_history", columns, others=named)
    check_text("instructions", instructions)
    kept, title = db.runtime.metadata_type.stored(metadata), checked_title(title)
    given = ChatFields(instructions, title, kept, columns)
    return await histories.import_history(db, messages, format, given)
