"""Questions that are submitted inside of `transaction.atomic()`: they are part of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from uuid import UUID

from chatrecord.attachments.attachment import Attachable
from chatrecord.chats.asking_chat import Prompt
from chatrecord.chats.sync import SyncChat
from chatrecord.errors import ChatNotFound, ConfigurationError
from chatrecord.ids import new_id
from chatrecord.records import Message, Run
from chatrecord.sqlalchemy.store.attachments import Files
from chatrecord.sqlalchemy.store.run_queue import inactive, same_run
from chatrecord.store.queued_question import queued_question

from .caller import Caller
from .database import alias_of_chats, current_database, is_instead
from .model_names import model_of
from .transactions import OwnTransaction, in_transaction


class DjangoChat(SyncChat):
    """A chat whose questions are submitted as part of the transaction of the thread, if any."""

    def submit(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> UUID:
        """See `Chat.submit`. Inside of `transaction.atomic()` it is part of that transaction.

        So no worker sees the question before the commit, nor after a rollback.
        """

        def submitted(connection: object | None) -> Coroutine[None, None, UUID]:
            return self._chat.submit(
                prompt,
                attachments=attachments,
                idempotency_key=idempotency_key,
                connection=connection,
            )

        return self._wait(submitted(connection)) if connection else self._joined(submitted)

    def submit_edit(
        self, message_id: UUID, prompt: Prompt, *, attachments: Sequence[Attachable] = ()
    ) -> UUID:
        """See `Chat.submit_edit`, and `submit`."""
        return self._joined(
            lambda connection: self._chat.submit_edit(
                message_id, prompt, attachments=attachments, connection=connection
            )
        )

    def submit_regenerate(self, message_id: UUID | None = None) -> UUID:
        """See `Chat.submit_regenerate`, and `submit`."""
        return self._joined(
            lambda connection: self._chat.submit_regenerate(message_id, connection=connection)
        )

    def _joined(self, submitted: Callable[[object | None], Coroutine[None, None, UUID]]) -> UUID:
        if not in_transaction() or is_instead():
            return self._wait(submitted(None))
        caller = Caller()
        return caller.wait(submitted(_Submitting(caller)))


class _Submitting(OwnTransaction):
    """Inserts a run on the connection, and in the transaction, of the thread that waits."""

    async def submit_run(self, run: Run, prompt: Message | None) -> UUID:
        """Insert the row. Implements `SubmitsRuns`."""
        return await self._caller.run(lambda: _submitted(run, prompt))


def _submitted(run: Run, prompt: Message | None) -> UUID:
    """Insert the row of a submitted run on Django's connection, as `RunQueueStore` says."""
    alias = alias_of_chats()
    prompt = _without_files(prompt)
    _lock_chat(run, alias)
    runs = model_of("run")._base_manager.using(alias).filter(chat_id=run.chat_id)
    if run.idempotency_key is not None:
        sent = runs.filter(idempotency_key=run.idempotency_key).first()
        if sent is not None:
            return same_run(replace(run, id=sent.pk, settings=sent.settings), run)
    queued = runs.filter(status__in=("queued", "waiting")).order_by("-pk")
    last = queued.values_list("pk", flat=True).first()
    run = replace(run, id=new_id(after=last), question=queued_question(prompt))
    model_of("run")(**inactive(run)).save(force_insert=True, using=alias)
    return run.id


def _lock_chat(run: Run, alias: str) -> None:
    """First, as all do that write to its runs."""
    chats = model_of("chat")._base_manager.using(alias)
    if not chats.filter(pk=run.chat_id, deleted_at=None).update(updated_at=run.started_at):
        msg = f"Chat {run.chat_id} was deleted, or its transaction was rolled back"
        raise ChatNotFound(msg)


def _without_files(prompt: Message | None) -> Message | None:
    if prompt is None:
        return None
    files: Files = {}
    prompt = current_database().store.attachments.referring(prompt, files)
    if files:
        msg = (
            "A question with files is not submitted as part of a transaction of Django's: submit "
            "it after the commit, with transaction.on_commit(lambda: chat.submit(...))"
        )
        raise ConfigurationError(msg)
    return prompt
