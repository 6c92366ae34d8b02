"""The functions of `chatrecord.sqlalchemy` for plain code.

from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import create_chat, wait

db = Database("sqlite:///chats.db")
wait(db.create_tables())
chat = create_chat(db, "openai:gpt-5.2", user_id="u1")
print(chat.ask("What is our Q3 travel policy?").text)
"""

from collections.abc import Iterable

from chatrecord.chats.sync import SyncChat, SyncStream, opening, reading, wait, waiting
from chatrecord.records import ChatRecord

from . import chats, feedback, owners, requests, runs
from . import export_import as moving
from . import search as searching
from .database import AnyDatabase, Database
from .store import key_rotation as rotation

create_chat = opening(chats.create_chat)
load_chat = opening(chats.load_chat)
list_chats = waiting(chats.list_chats)
list_requests = waiting(requests.list_requests)
list_feedback = waiting(feedback.list_feedback)
feedback_report = waiting(feedback.feedback_report)
delete_chat = waiting(chats.delete_chat)
purge = waiting(chats.purge)
restore_chat = waiting(owners.restore_chat)
list_deleted_chats = waiting(owners.list_deleted_chats)
export_owner = waiting(owners.export_owner)
erase_owner = waiting(owners.erase_owner)
rotate = waiting(rotation.rotate)
search_messages = waiting(searching.search_messages)
usage = waiting(chats.usage)
events = reading(Database.events)
purge_events = waiting(Database.purge_events)
list_runs = waiting(runs.list_runs)
count_runs = waiting(runs.count_runs)
work_on = waiting(runs.work_on)
work = waiting(runs.work)
export_chat = reading(moving.export_chat)
import_history = waiting(moving.import_history)


def import_chat(
    db: AnyDatabase, lines: Iterable[str | bytes], *, new_ids: bool = False, **columns: object
) -> ChatRecord:
    """See `chatrecord.sqlalchemy.import_chat`."""
    # Read here: lines that come from export_chat could not wait inside of the event loop.
    read = lines if isinstance(lines, str | bytes) else list(lines)
    return wait(moving.import_chat(db, read, new_ids=new_ids, **columns))


__all__ = [
    "SyncChat",
    "SyncStream",
    "count_runs",
    "create_chat",
    "delete_chat",
    "erase_owner",
    "events",
    "export_chat",
    "export_owner",
    "feedback_report",
    "import_chat",
    "import_history",
    "list_chats",
    "list_deleted_chats",
    "list_feedback",
    "list_requests",
    "list_runs",
    "load_chat",
    "purge",
    "purge_events",
    "restore_chat",
    "rotate",
    "search_messages",
    "usage",
    "wait",
    "work",
    "work_on",
]
