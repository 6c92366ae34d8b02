"""The synchronous API: the same chat for scripts, Flask and Django views.

One event loop in a background thread does the work; calls from any thread wait for it there.
"""

# More than 400 lines: most of them are overloads.

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any, Generic, ParamSpec, Protocol, Self, overload
from uuid import UUID

from typing_extensions import TypeVar

from chatrecord.attachments.attachment import Attachable, Attachment
from chatrecord.chats.branches import Branch
from chatrecord.chats.changes import UNCHANGED, Unchanged
from chatrecord.chats.chat import Chat, Metadata, Prompt, Row
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import ConfigurationError
from chatrecord.feedback import Feedback
from chatrecord.records import (
    ApiRequest,
    ChatRecord,
    Chunk,
    Message,
    Output,
    Reply,
    Run,
    RunStatus,
    ToolCall,
    Usage,
)

Result = TypeVar("Result")
Typed = TypeVar("Typed")
Parameters = ParamSpec("Parameters")


_EXIT_PATIENCE = 5.0
"""Seconds that the end of a process waits for its runs to store their partial answers."""


class _BackgroundLoop:
    """An event loop in a daemon thread, one a process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def submit(self, work: Coroutine[None, None, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def wait(self, work: Coroutine[None, None, Result]) -> Result:
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                _check_threads()
                self._loop = asyncio.new_event_loop()
                self._process = os.getpid()
                threading.Thread(
                    target=self._loop.run_forever, name="chatrecord", daemon=True
                ).start()
                atexit.register(self._end_runs, os.getpid())
            return self._loop

    def _reset_after_fork(self) -> None:
        """Replace the lock: in a forked process, the thread that held it does not run."""
        self._lock = threading.Lock()

    def _end_runs(self, process: int) -> None:
        """At exit: let live runs store their partial answers, as `asyncio.run` does at its end."""
        if self._loop is not None and process == os.getpid():
            with suppress(TimeoutError, FutureTimeout):
                asyncio.run_coroutine_threadsafe(_cancel_runs(), self._loop).result(_EXIT_PATIENCE)


async def _cancel_runs() -> None:
    runs = [task for task in asyncio.all_tasks() if task.get_name().startswith("chatrecord run")]
    for run in runs:
        run.cancel()
    await asyncio.gather(*runs, return_exceptions=True)


def _check_threads() -> None:
    """Raise where a thread is a greenlet: its event loop would stop all others."""
    gevent, eventlet = (sys.modules.get(name) for name in ("gevent.monkey", "eventlet.patcher"))
    is_patched = (gevent is not None and gevent.is_module_patched("threading")) or (
        eventlet is not None and eventlet.is_monkey_patched("thread")
    )
    if is_patched:
        msg = (
            "gevent or eventlet has replaced the threads of this process, and chats need real "
            "ones: serve with threads instead, such as gunicorn --worker-class gthread or celery "
            "--pool prefork"
        )
        raise ConfigurationError(msg)


_background = _BackgroundLoop()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_background._reset_after_fork)


def wait(work: Coroutine[None, None, Result]) -> Result:
    """Run a coroutine of the library and return its result.

        db = Database("sqlite:///chats.db")
        wait(db.create_tables())

    Raises `RuntimeError` inside an event loop, which it would block: use `await` there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _background.wait(work)
    work.close()
    msg = "An event loop is running here: await the asynchronous function instead"
    raise RuntimeError(msg)


def submit(work: Coroutine[None, None, Result]) -> Future[Result]:
    """Begin a coroutine of the library in the background, from any thread or event loop."""
    return _background.submit(work)


class Waits(Protocol):
    """Runs a coroutine of the library and returns its result, as `wait` does."""

    def __call__(self, work: Coroutine[None, None, Result], /) -> Result: ...


def opening(
    function: Callable[Parameters, Coroutine[None, None, Chat[Row, Metadata]]],
) -> Callable[Parameters, SyncChat[Row, Metadata]]:
    """Make a synchronous version of a function that returns a chat."""

    def blocking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> SyncChat[Row, Metadata]:
        return SyncChat(wait(function(*args, **kwargs)))

    blocking.__doc__ = function.__doc__
    return blocking


def waiting(
    function: Callable[Parameters, Coroutine[None, None, Result]],
) -> Callable[Parameters, Result]:
    """Make a synchronous version of a function."""

    def blocking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return wait(function(*args, **kwargs))

    blocking.__doc__ = function.__doc__
    return blocking


def reading(
    function: Callable[Parameters, AsyncGenerator[Result]],
) -> Callable[Parameters, Iterator[Result]]:
    """Make a synchronous version of a function that yields."""

    def blocking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Iterator[Result]:
        return _read(function(*args, **kwargs))

    blocking.__doc__ = function.__doc__
    return blocking


def _read(found: AsyncGenerator[Result]) -> Iterator[Result]:
    async def following() -> tuple[Result, ...]:
        async for each in found:
            return (each,)
        return ()

    try:
        while following_one := wait(following()):
            yield following_one[0]
    finally:
        wait(found.aclose())


class SyncStream(Generic[Output]):
    """A `ChatStream` without `async`: `for chunk in chat.stream(...)`, or `with`."""

    def __init__(self, stream: ChatStream[Output], waits: Waits = wait) -> None:
        self._stream = stream
        self._wait = waits

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Chunk:
        chunk = self._wait(self._next())
        if chunk is None:
            raise StopIteration
        return chunk

    async def _next(self) -> Chunk | None:
        return await anext(self._stream, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._wait(self._stream.close())

    def read(self) -> Reply[Output]:
        """Wait for the end of the run and return the reply."""
        for _ in self:
            pass
        return self.reply

    @property
    def reply(self) -> Reply[Output]:
        """The reply. Raises `RuntimeError` until the stream is read to its end."""
        return self._stream.reply


class SyncChat(Generic[Row, Metadata]):
    """A `Chat` without `async`: the same methods, which wait for their result."""

    def __init__(self, chat: Chat[Row, Metadata], waits: Waits = wait) -> None:
        self._chat = chat
        self._wait = waits

    @property
    def id(self) -> UUID:
        """The chat's id."""
        return self._chat.id

    @property
    def title(self) -> str | None:
        """See `Chat.title`."""
        return self._chat.title

    @property
    def row(self) -> Row:
        """See `Chat.row`."""
        return self._chat.row

    @property
    def record(self) -> ChatRecord:
        """The chat's row when it was loaded, or as it was changed here since."""
        return self._chat.record

    @property
    def metadata(self) -> Metadata:
        """See `Chat.metadata`."""
        return self._chat.metadata

    def rename(self, title: str | None) -> None:
        """See `Chat.rename`."""
        self._wait(self._chat.rename(title))

    def update(
        self,
        row: Row | None = None,
        *,
        title: str | Unchanged | None = UNCHANGED,
        metadata: Metadata | Unchanged = UNCHANGED,
        instructions: str | Unchanged | None = UNCHANGED,
        llm: object = UNCHANGED,
        **columns: object,
    ) -> None:
        """See `Chat.update`."""
        self._wait(
            self._chat.update(
                row, title=title, metadata=metadata, instructions=instructions, llm=llm, **columns
            )
        )

    def generate_title(self, llm: object | None = None, *, instructions: str | None = None) -> str:
        """See `Chat.generate_title`."""
        return self._wait(self._chat.generate_title(llm, instructions=instructions))

    @overload
    def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
        idempotency_key: str | None = None,
    ) -> Reply[Typed]: ...

    @overload
    def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
        idempotency_key: str | None = None,
    ) -> Reply[str]: ...

    def ask(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
        idempotency_key: str | None = None,
    ) -> Reply[Any]:
        """See `Chat.ask`."""
        return self._wait(
            self._chat.ask(
                prompt,
                attachments=attachments,
                output_type=output_type,
                idempotency_key=idempotency_key,
            )
        )

    @overload
    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
        idempotency_key: str | None = None,
    ) -> SyncStream[Typed]: ...

    @overload
    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
        idempotency_key: str | None = None,
    ) -> SyncStream[str]: ...

    def stream(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
        idempotency_key: str | None = None,
    ) -> SyncStream[Any]:
        """See `Chat.stream`."""
        return SyncStream(
            self._chat.stream(
                prompt,
                attachments=attachments,
                output_type=output_type,
                idempotency_key=idempotency_key,
            ),
            self._wait,
        )

    @overload
    def follow(
        self, run_id: UUID | None = None, *, output_type: type[Typed]
    ) -> SyncStream[Typed]: ...

    @overload
    def follow(
        self, run_id: UUID | None = None, *, output_type: None = None
    ) -> SyncStream[str]: ...

    def follow(
        self, run_id: UUID | None = None, *, output_type: type[object] | None = None
    ) -> SyncStream[Any]:
        """See `Chat.follow`."""
        return SyncStream(self._chat.follow(run_id, output_type=output_type), self._wait)

    @overload
    def regenerate(
        self, message_id: UUID | None = None, *, output_type: type[Typed]
    ) -> SyncStream[Typed]: ...

    @overload
    def regenerate(
        self, message_id: UUID | None = None, *, output_type: None = None
    ) -> SyncStream[str]: ...

    def regenerate(
        self, message_id: UUID | None = None, *, output_type: type[object] | None = None
    ) -> SyncStream[Any]:
        """See `Chat.regenerate`."""
        return SyncStream(self._chat.regenerate(message_id, output_type=output_type), self._wait)

    @overload
    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[Typed],
    ) -> SyncStream[Typed]: ...

    @overload
    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: None = None,
    ) -> SyncStream[str]: ...

    def edit(
        self,
        message_id: UUID,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        output_type: type[object] | None = None,
    ) -> SyncStream[Any]:
        """See `Chat.edit`."""
        return SyncStream(
            self._chat.edit(message_id, prompt, attachments=attachments, output_type=output_type),
            self._wait,
        )

    @overload
    def resume(self, *, output_type: type[Typed]) -> SyncStream[Typed]: ...

    @overload
    def resume(self, *, output_type: None = None) -> SyncStream[str]: ...

    def resume(self, *, output_type: type[object] | None = None) -> SyncStream[Any]:
        """See `Chat.resume`."""
        return SyncStream(self._chat.resume(output_type=output_type), self._wait)

    def submit(
        self,
        prompt: Prompt,
        *,
        attachments: Sequence[Attachable] = (),
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> UUID:
        """See `Chat.submit`."""
        return self._wait(
            self._chat.submit(
                prompt,
                attachments=attachments,
                idempotency_key=idempotency_key,
                connection=connection,
            )
        )

    def submit_edit(
        self, message_id: UUID, prompt: Prompt, *, attachments: Sequence[Attachable] = ()
    ) -> UUID:
        """See `Chat.submit_edit`."""
        return self._wait(self._chat.submit_edit(message_id, prompt, attachments=attachments))

    def submit_regenerate(self, message_id: UUID | None = None) -> UUID:
        """See `Chat.submit_regenerate`."""
        return self._wait(self._chat.submit_regenerate(message_id))

    def submit_resume(self) -> UUID:
        """See `Chat.submit_resume`."""
        return self._wait(self._chat.submit_resume())

    def work_on(self, run_id: UUID, *, retry: bool = False) -> Reply[Any]:
        """See `Chat.work_on`."""
        return self._wait(self._chat.work_on(run_id, retry=retry))

    def runs(
        self, *, status: RunStatus | None = None, limit: int = 20, before: UUID | None = None
    ) -> list[Run]:
        """See `Chat.runs`."""
        return self._wait(self._chat.runs(status=status, limit=limit, before=before))

    def stop(self, run_id: UUID | None = None) -> bool:
        """See `Chat.stop`."""
        return self._wait(self._chat.stop(run_id))

    def give_feedback(
        self,
        message_id: UUID | str,
        value: float,
        *,
        comment: str | None = None,
        owner: str = "",
    ) -> Feedback:
        """See `Chat.give_feedback`."""
        giving = self._chat.give_feedback(message_id, value, comment=comment, owner=owner)
        return self._wait(giving)

    def withdraw_feedback(self, message_id: UUID | str, *, owner: str = "") -> bool:
        """See `Chat.withdraw_feedback`."""
        return self._wait(self._chat.withdraw_feedback(message_id, owner=owner))

    def feedback(self) -> list[Feedback]:
        """See `Chat.feedback`."""
        return self._wait(self._chat.feedback())

    def branches(self, message_id: UUID | str) -> list[Branch]:
        """See `Chat.branches`."""
        return self._wait(self._chat.branches(message_id))

    def restore(self, message_id: UUID | str) -> None:
        """See `Chat.restore`."""
        self._wait(self._chat.restore(message_id))

    def fork(
        self,
        at: UUID | str | None = None,
        *,
        title: str | Unchanged | None = UNCHANGED,
        **columns: object,
    ) -> SyncChat[Row, Metadata]:
        """See `Chat.fork`."""
        copy = self._wait(self._chat.fork(at, title=title, **columns))
        return SyncChat(copy, self._wait)

    def active_run(self) -> Run | None:
        """See `Chat.active_run`."""
        return self._wait(self._chat.active_run())

    def pending_approvals(self) -> list[ToolCall]:
        """See `Chat.pending_approvals`."""
        return self._wait(self._chat.pending_approvals())

    def approve(self, call_id: str) -> UUID | None:
        """See `Chat.approve`."""
        return self._wait(self._chat.approve(call_id))

    def deny(self, call_id: str, *, reason: str | None = None) -> UUID | None:
        """See `Chat.deny`."""
        return self._wait(self._chat.deny(call_id, reason=reason))

    def messages(self, limit: int = 20, *, before: int | None = None) -> list[Message]:
        """See `Chat.messages`."""
        return self._wait(self._chat.messages(limit, before=before))

    def summaries(self) -> list[Message]:
        """See `Chat.summaries`."""
        return self._wait(self._chat.summaries())

    def attachment(self, file_hash: str) -> Attachment:
        """See `Chat.attachment`."""
        return self._wait(self._chat.attachment(file_hash))

    def tool_calls(self) -> list[ToolCall]:
        """See `Chat.tool_calls`."""
        return self._wait(self._chat.tool_calls())

    def requests(self) -> list[ApiRequest]:
        """See `Chat.requests`."""
        return self._wait(self._chat.requests())

    def usage(self) -> Usage:
        """See `Chat.usage`."""
        return self._wait(self._chat.usage())
