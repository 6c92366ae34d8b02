"""The functions of `chatrecord.sqlalchemy` for Django's views, plain and asynchronous.

Those with an `a` before their name are to be awaited, as in Django itself. Keywords are columns of
the chat; a foreign key takes its id (`user_id=`) or its object (`user=`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import models

from chatrecord.chats.chat import Chat
from chatrecord.chats.sync import SyncChat
from chatrecord.sqlalchemy import chats as library
from chatrecord.sqlalchemy import feedback, owners, requests, runs
from chatrecord.sqlalchemy.database import AnyDatabase
from chatrecord.sqlalchemy.search import search_messages as search

from .background import chat_elsewhere, in_background
from .caller import Caller
from .database import is_instead
from .model_names import model_of
from .submitted import DjangoChat
from .transactions import (
    Commit,
    OwnTransaction,
    in_transaction,
    insert_with_django,
    wait_outside,
)

if TYPE_CHECKING:
    from chatrecord.sqlalchemy.chats import LLM

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


def create_chat(
    db: AnyDatabase,
    llm: LLM,
    *,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, object] | None = None,
    **columns_and_options: object,
) -> SyncChat:
    """Create a chat: see `chatrecord.sqlalchemy.create_chat`.

        chat = create_chat(db, "openai:gpt-5.2", user=request.user)

    Inside of `transaction.atomic()` the row is part of that transaction, and so is what is
    submitted there. Use the chat after the commit: before that, its other methods raise
    `ConfigurationError`.
    """
    chat, commit = _created(
        db,
        llm,
        instructions=instructions,
        title=title,
        metadata=metadata,
        **columns_and_options,
    )
    return DjangoChat(chat, commit.wait)


async def acreate_chat(
    db: AnyDatabase,
    llm: LLM,
    *,
    instructions: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, object] | None = None,
    **columns_and_options: object,
) -> Chat:
    """Create a chat: see `create_chat`."""
    chat, commit = await sync_to_async(_created)(
        db,
        llm,
        instructions=instructions,
        title=title,
        metadata=metadata,
        **columns_and_options,
    )
    return chat_elsewhere(chat, commit)


def load_chat(
    db: AnyDatabase, llm: LLM, chat_id: UUID | str, **scope_and_options: object
) -> SyncChat:
    """Load a chat: see `chatrecord.sqlalchemy.load_chat`."""
    found = library.load_chat(db, llm, chat_id, **with_ids(scope_and_options))
    return DjangoChat(wait_outside(found), wait_outside)


async def aload_chat(
    db: AnyDatabase, llm: LLM, chat_id: UUID | str, **scope_and_options: object
) -> Chat:
    """Load a chat: see `chatrecord.sqlalchemy.load_chat`."""
    found = library.load_chat(db, llm, chat_id, **with_ids(scope_and_options))
    return chat_elsewhere(await in_background(found), Commit(is_done=True))


def _waiting(
    function: Callable[Parameters, Coroutine[Any, Any, Result]],
) -> Callable[Parameters, Result]:
    def blocking(*args: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        return wait_outside(function(*args, **with_ids(keywords)))

    blocking.__doc__ = function.__doc__
    return blocking


def _awaited(
    function: Callable[Parameters, Coroutine[Any, Any, Result]],
) -> Callable[Parameters, Coroutine[Any, Any, Result]]:
    async def elsewhere(*args: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        return await in_background(function(*args, **with_ids(keywords)))

    elsewhere.__doc__ = function.__doc__
    return elsewhere


list_chats, alist_chats = _waiting(library.list_chats), _awaited(library.list_chats)
list_requests, alist_requests = _waiting(requests.list_requests), _awaited(requests.list_requests)
delete_chat, adelete_chat = _waiting(library.delete_chat), _awaited(library.delete_chat)
purge, apurge = _waiting(library.purge), _awaited(library.purge)
usage, ausage = _waiting(library.usage), _awaited(library.usage)
restore_chat, arestore_chat = _waiting(owners.restore_chat), _awaited(owners.restore_chat)
list_deleted_chats = _waiting(owners.list_deleted_chats)
alist_deleted_chats = _awaited(owners.list_deleted_chats)
list_feedback, alist_feedback = _waiting(feedback.list_feedback), _awaited(feedback.list_feedback)
feedback_report = _waiting(feedback.feedback_report)
afeedback_report = _awaited(feedback.feedback_report)
list_runs, alist_runs = _waiting(runs.list_runs), _awaited(runs.list_runs)
count_runs, acount_runs = _waiting(runs.count_runs), _awaited(runs.count_runs)
export_owner, aexport_owner = _waiting(owners.export_owner), _awaited(owners.export_owner)
erase_owner, aerase_owner = _waiting(owners.erase_owner), _awaited(owners.erase_owner)
search_messages, asearch_messages = _waiting(search), _awaited(search)


def _created(db: AnyDatabase, llm: LLM, **keywords: Any) -> tuple[Chat, Commit]:
    keywords = with_ids(keywords)
    is_inside = in_transaction()
    if not is_inside or is_instead():
        chat = wait_outside(library.create_chat(db, llm, **keywords))
        if is_inside:  # where rows of the test may refer to it
            insert_with_django(chat.record)
        return chat, Commit(is_done=True)
    caller = Caller()
    keywords["connection"] = OwnTransaction(caller)
    chat = caller.wait(library.create_chat(db, llm, **keywords))
    return chat, Commit(is_done=False)


def with_ids(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords with `user_id=` for `user=`, and the id of each object."""
    relations = {
        field.name: field.attname
        for field in model_of("chat")._meta.concrete_fields
        if field.is_relation
    }
    return {
        relations.get(name, name): value.pk if isinstance(value, models.Model) else value
        for name, value in keywords.items()
    }
