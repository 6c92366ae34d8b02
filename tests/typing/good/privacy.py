"""Moving, purging and encrypting chats, as a type checker passes it."""

from datetime import timedelta
from uuid import UUID

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import (
    Database,
    Keys,
    delete_chat,
    export_chat,
    import_chat,
    import_history,
    purge,
    rotate,
    sync,
)


async def use(chat_id: UUID) -> UUID:
    db = Database("sqlite:///chats.db", encryption=Keys(Keys.new()))
    lines = [line async for line in export_chat(db, chat_id, user_id="u1")]
    record: ChatRecord = await import_chat(db, lines, new_ids=True, user_id="u2")
    await import_chat(db, export_chat(db, chat_id))
    await import_history(db, [{"role": "user", "content": "Hi"}], format="openai", user_id="u1")
    gone: int = await purge(db, older_than=timedelta(days=90), audit="anonymise", user_id="u1")
    await delete_chat(db, record.id, audit="keep")
    print(gone, await rotate(db))
    return record.id


def use_plainly(db: Database, chat_id: UUID) -> int:
    sync.import_chat(db, sync.export_chat(db, chat_id), new_ids=True)
    return sync.purge(db, older_than=timedelta(days=1)) + sync.rotate(db)
