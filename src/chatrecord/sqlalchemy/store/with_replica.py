"""The store of a `Database` that was given a read replica."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.attachments.stores import AttachmentStore
from chatrecord.sqlalchemy.engine.creation import engine_of
from chatrecord.sqlalchemy.engine.forks import reset_after_forks
from chatrecord.sqlalchemy.models.mixins import Models
from chatrecord.store.shown_store import ShownStore
from chatrecord.store.times import DATABASE_TIMEOUT

from .noted_store import NotedStore
from .replica import ReplicaStore, ShownByReplica


class StoreWithReplica(NotedStore):
    """Reads what is shown from a replica."""

    def __init__(
        self,
        engine: AsyncEngine,
        models: Models,
        *,
        is_ours: bool,
        patience: timedelta = DATABASE_TIMEOUT,
        attachments: AttachmentStore | None = None,
        history_cache: int = 0,
    ) -> None:
        super().__init__(
            engine,
            models,
            is_ours=is_ours,
            patience=patience,
            attachments=attachments,
            history_cache=history_cache,
        )
        self._given = (models, patience, attachments)
        self._shown: ShownByReplica | None = None

    def read_from(self, given: str | URL | AsyncEngine, window: timedelta | None) -> None:
        """Use this replica. Raises `ConfigurationError` for a URL that cannot work."""
        models, patience, attachments = self._given
        replica = ReplicaStore(
            engine_of(given, patience),
            models,
            is_ours=not isinstance(given, AsyncEngine),
            patience=patience,
            attachments=attachments,
            history_cache=0,
        )
        self._shown = ShownByReplica(self, replica, window)
        reset_after_forks(self._shown)

    @property
    def shown(self) -> ShownStore:
        return self if self._shown is None else self._shown

    @property
    def engines(self) -> Sequence[AsyncEngine]:
        return [self._engine, *([] if self._shown is None else [self._shown.engine])]

    def leave_days_alone(self) -> None:
        super().leave_days_alone()
        if self._shown is not None:
            self._shown.leave_days_alone()

    async def close(self) -> None:
        if self._shown is not None:
            await self._shown.close()
        await super().close()
