"""The hooks of one run, called at their moments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from chatrecord.errors import ChatRecordError, HookFailed, Refused
from chatrecord.records import ApiRequest, Ending, Message, Reply, Run, ToolCall, Usage
from chatrecord.text.redaction import named, redact

from .hook import Hook
from .moments import (
    Answered,
    BudgetWarning,
    Change,
    Replaced,
    RunEnd,
    Sending,
    Text,
    ToolUse,
    ToolUsed,
    Veto,
)

if TYPE_CHECKING:
    from chatrecord.values import Call, Target


class Outgoing(Protocol):
    """A request that is about to be sent, as the LLM adapter holds it: for hooks to change."""

    @property
    def target(self) -> Target: ...

    @property
    def messages(self) -> list[Any]: ...

    def texts(self) -> Sequence[Text]: ...

    def put(self, texts: Sequence[Text]) -> None:
        """Put these in the place of its texts, one by one."""


class Rows(Protocol):
    """The rows of a run as they are now."""

    run: Run
    messages: list[Message]
    requests: dict[UUID, ApiRequest]
    tool_calls: dict[str, ToolCall]

    @property
    def answer(self) -> Message: ...

    @property
    def usage(self) -> Usage: ...

    def row_of(self, call: Call) -> ToolCall: ...


@dataclass(frozen=True, slots=True)
class Originals:
    """The placeholders in an answer with their values: in its tool arguments and in its text."""

    in_calls: Mapping[str, str] = field(default_factory=dict)
    in_text: Mapping[str, str] = field(default_factory=dict)


class RunHooks:
    """Calls each hook that overrides a method, and wraps its exceptions."""

    def __init__(self, hooks: Sequence[Hook] = (), rows: Rows | None = None) -> None:
        self._hooks = hooks
        self._rows = rows
        self._has_ended = False

    @property
    def change_requests(self) -> bool:
        """Whether any of them may change what is sent."""
        return bool(self._those_with("before_request"))

    @property
    def hear_of_ends(self) -> bool:
        """Whether any of them is told how the run ends."""
        return bool(self._those_with("on_run_end"))

    @property
    def storing(self) -> Change | None:
        """The changes of the hooks to a text before it is stored; `None` without any."""
        return storing(self._hooks, self._known.run.chat_id) if self._hooks else None

    async def before_request(self, outgoing: Outgoing) -> Originals:
        """Let them change a request; what is to be replaced in its answer."""
        in_calls: dict[str, str] = {}
        in_text: dict[str, str] = {}
        for hook in self._those_with("before_request"):
            sending = self._sending(outgoing)
            changed = await called(hook, "before_request", sending)
            if changed is not None:
                _expect(hook, "before_request", changed, Sending)
                _put(hook, outgoing, sending, changed)
                in_calls |= changed.in_calls
                in_text |= changed.in_text
        return Originals(in_calls, in_text)

    async def after_response(self, error: ChatRecordError | None) -> None:
        """The last attempt is over."""
        rows = self._rows
        for hook in self._those_with("after_response"):
            assert rows is not None
            request = list(rows.requests.values())[-1]
            if request.status != "interrupted":
                await called(hook, "after_response", Answered(request, rows.answer, error))

    async def before_tool(self, call: Call, arguments: Mapping[str, object]) -> Any:
        """The arguments to run it with, or a `Veto`."""
        for hook in self._those_with("before_tool"):
            use = ToolUse(self._known.row_of(call), arguments)
            said = await called(hook, "before_tool", use)
            if said is not None:
                _expect(hook, "before_tool", said, Mapping, Veto)
                arguments = said
            if isinstance(said, Veto):
                break
        return arguments

    async def after_tool(
        self, call: Call, arguments: Mapping[str, object], result: object
    ) -> tuple[Any, Any]:
        """What the model gets, and what the row keeps."""
        kept = result
        for hook in self._those_with("after_tool"):
            used = ToolUsed(self._known.row_of(call), arguments, result)
            said = await called(hook, "after_tool", used)
            if said is not None:
                _expect(hook, "after_tool", said, Replaced)
                result, kept = said.result, said.result if said.in_row else kept
        return result, kept

    async def on_run_end(
        self, status: Ending, *, reply: Reply[object] | None, error: ChatRecordError | None
    ) -> None:
        """Tell all of them, once. Raises what the first of those that failed has raised."""
        if self._has_ended:
            return
        self._has_ended = True
        failures = []
        for hook in self._those_with("on_run_end"):
            try:
                await called(hook, "on_run_end", self._end(status, reply, error))
            except ChatRecordError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    @property
    def _known(self) -> Rows:
        assert self._rows is not None
        return self._rows

    def _those_with(self, method: str) -> list[Hook]:
        return [hook for hook in self._hooks if _overrides(hook, method)]

    def _sending(self, outgoing: Outgoing) -> Sending:
        rows = self._known
        asked = next((it for it in rows.messages if it.role == "user"), None)
        return Sending(
            chat_id=rows.run.chat_id,
            run_id=rows.run.id,
            model=outgoing.target.model,
            provider=outgoing.target.provider,
            prompt=asked.text if asked else None,
            is_first=not rows.requests,
            texts=tuple(outgoing.texts()),
            messages=outgoing.messages,
        )

    def _end(
        self, status: Ending, reply: Reply[object] | None, error: ChatRecordError | None
    ) -> RunEnd:
        rows = self._known
        return RunEnd(
            chat_id=rows.run.chat_id,
            run_id=rows.run.id,
            status=status,
            text=rows.answer.text,
            usage=rows.usage,
            requests=tuple(rows.requests.values()),
            tool_calls=tuple(rows.tool_calls.values()),
            settings=rows.run.settings,
            reply=reply,
            error=error,
        )


async def warn_of_budget(hooks: Sequence[Hook], warning: BudgetWarning) -> None:
    """Tell those that want to know that a budget is nearly used up."""
    for hook in hooks:
        if _overrides(hook, "on_budget_warning"):
            await called(hook, "on_budget_warning", warning)


def storing(hooks: Sequence[Hook], chat_id: UUID) -> Change | None:
    """What these hooks make of a text before it is stored; `None` where they leave it alone."""
    those = [hook for hook in hooks if _overrides(hook, "before_store")]
    if not those:
        return None

    def change(text: Text) -> str:
        for hook in those:
            try:
                stored = hook.before_store(chat_id, text)
            except Exception as error:
                raise _failed(hook, "before_store", error) from error
            _expect(hook, "before_store", stored, str)
            text = Text(text.kind, stored)
        return text.text

    return change


def _overrides(hook: Hook, method: str) -> bool:
    return getattr(type(hook), method) is not getattr(Hook, method)


async def called(hook: Hook, method: str, moment: object) -> Any:
    """What a hook has to say to this moment. Raises `Refused` or `HookFailed`."""
    try:
        said = getattr(hook, method)(moment)
        return await said if isawaitable(said) else said
    except (Refused, asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # even sys.exit() in a hook ends its run, not the process
        raise _failed(hook, method, error) from error


def _put(hook: Hook, outgoing: Outgoing, before: Sending, changed: Sending) -> None:
    if len(changed.texts) != len(before.texts):
        msg = f"it returned {len(changed.texts)} texts for {len(before.texts)}"
        raise _failed(hook, "before_request", ValueError(msg))
    if changed.texts != before.texts:
        outgoing.put(changed.texts)


def _expect(hook: Hook, method: str, said: object, *kinds: type) -> None:
    if not isinstance(said, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        msg = f"it returned {type(said).__name__}, not {names}"
        raise _failed(hook, method, TypeError(msg))


def _failed(hook: Hook, method: str, error: BaseException) -> HookFailed:
    msg = redact(f"{type(hook).__name__}.{method} raised {named(error)}")
    return HookFailed(msg)
