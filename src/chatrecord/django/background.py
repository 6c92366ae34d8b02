"""The asynchronous side: work in the background loop, awaited in any other.

The `Database` of a process belongs to one event loop. Views run in many: one for each thread, test
or `async_to_sync`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Self, TypeVar, cast

from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.chats.sync import submit
from chatrecord.errors import SchemaError

from .transactions import Commit, to_migrate

Result = TypeVar("Result")


async def in_background(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine of the library in the background, and wait for it in this loop."""
    try:
        return await asyncio.wrap_future(submit(work))
    except SchemaError as error:
        raise to_migrate(error) from error


def chat_elsewhere(chat: Chat, commit: Commit) -> Chat:
    """The chat, for event loops other than its own: the same methods with the same results."""
    return cast(Chat, _ChatElsewhere(chat, commit))


class _ChatElsewhere:
    def __init__(self, chat: Chat, commit: Commit) -> None:
        self._chat = chat
        self._commit = commit

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance()
        return Chat

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._chat, name)
        return self._method(found) if inspect.ismethod(found) else found

    def __repr__(self) -> str:
        return repr(self._chat)

    def _method(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: object, **options: object) -> object:
            found = method(*args, **options)
            if inspect.iscoroutine(found):
                return self._awaited(found)
            return _StreamElsewhere(found, self._commit) if isinstance(found, ChatStream) else found

        return called

    async def _awaited(self, work: Coroutine[Any, Any, Result]) -> Result:
        return await _committed(self._commit, work)


class _StreamElsewhere:
    def __init__(self, stream: ChatStream[Any], commit: Commit) -> None:
        self._stream = stream
        self._commit = commit

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance()
        return ChatStream

    @property
    def reply(self) -> object:
        return self._stream.reply

    @property
    def run_id(self) -> object:
        return self._stream.run_id

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> object:
        found = await _committed(self._commit, _next(self._stream))
        if found is None:
            raise StopAsyncIteration
        return found

    async def begun(self) -> object:
        return await _committed(self._commit, self._stream.begun())

    async def take(self) -> object:
        return await _committed(self._commit, self._stream.take())

    async def close(self) -> None:
        await in_background(self._stream.close())

    async def __aenter__(self) -> Self:
        await _committed(self._commit, self._stream.__aenter__())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __await__(self) -> Generator[Any, None, Any]:
        return _committed(self._commit, self._stream._whole()).__await__()


async def _next(stream: ChatStream[Any]) -> object:
    return await anext(stream, None)


async def _committed(commit: Commit, work: Coroutine[Any, Any, Result]) -> Result:
    try:
        commit.check()
    except BaseException:
        work.close()
        raise
    return await in_background(work)
