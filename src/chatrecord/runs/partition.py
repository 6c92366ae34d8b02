"""Partitions: chats whose background work shares transactions, such as those of one tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from chatrecord.errors import ConfigurationError

PartitionBy: TypeAlias = ContextVar[Any] | Callable[[], Hashable] | str
"""A context variable, a function that returns a key, or the name of a column of the chats."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A key, and a context that belongs to it. Work for it runs in that context."""

    key: Hashable
    context: Context


class Partitioned(Protocol):
    """What belongs to a partition; `None` where a `Database` has none."""

    @property
    def partition(self) -> Partition | None: ...


Member = TypeVar("Member", bound=Partitioned)


class Partitioning:
    """Says which partition a chat belongs to, as seen by the current context."""

    def __init__(self, by: PartitionBy | None = None) -> None:
        if by is not None and not isinstance(by, ContextVar | str) and not callable(by):
            msg = (
                "partition= takes a ContextVar, a function without parameters, or the name of a "
                f"column of the chats, not {by!r}"
            )
            raise ConfigurationError(msg)
        self._by = by

    def of_chat(self, columns: Mapping[str, object]) -> Partition | None:
        """The partition of a chat with these columns, in a copy of the current context."""
        if self._by is None:
            return None
        key = columns.get(self._by) if isinstance(self._by, str) else self.current()
        return Partition(_hashable(key), copy_context())

    def current(self) -> object:
        """The key that the current context has; `None` without one."""
        with suppress(LookupError):
            if isinstance(self._by, ContextVar):
                return self._by.get()
            if callable(self._by):
                return self._by()
        return None


UNPARTITIONED = Partitioning()
"""All chats share their background work."""


def _hashable(key: object) -> Hashable:
    if not isinstance(key, Hashable):
        msg = f"The key of a partition must be hashable, such as text or a number, not {key!r}"
        raise ConfigurationError(msg)
    return key


def key_of(member: Partitioned) -> Hashable:
    """What members of one partition have in common."""
    return None if member.partition is None else member.partition.key


def by_partition(members: Iterable[Member]) -> list[list[Member]]:
    """The members of each partition."""
    groups: dict[Hashable, list[Member]] = {}
    for member in members:
        groups.setdefault(key_of(member), []).append(member)
    return list(groups.values())


def in_partition(
    members: Sequence[Partitioned], work: Coroutine[None, None, None]
) -> asyncio.Task[None]:
    """Do this work for the members of one partition in a context of theirs."""
    partition = members[0].partition
    return asyncio.create_task(work, context=None if partition is None else partition.context)


def are_partitioned(members: Iterable[Partitioned]) -> bool:
    """Whether their work has contexts of its own."""
    return any(member.partition is not None for member in members)
