"""An error whose text cannot be made, or that cannot be hashed, ends a run as any other does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError, ModelRetry

from chatrecord import ChatRecordError
from chatrecord.hooks import Hook
from chatrecord.pydantic_ai import Persisted
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.testing import Script, call, fail, say


class Mute(Exception):
    """One that fails when it is asked what it is."""

    def __str__(self) -> str:
        msg = "no words"
        raise LookupError(msg)


@dataclass
class Equal(Exception):
    """One that is compared by its values, and so has no hash."""

    n: int


class MuteProvider(ModelHTTPError):
    """An error of a provider's client."""

    def __str__(self) -> str:
        raise Mute


class MuteRetry(ModelRetry):
    """What a tool asks of the model."""

    def __str__(self) -> str:
        raise Mute


ERRORS = [Mute(), Equal(7), MuteProvider(400, "script")]


class Raising(Hook):
    """Raises at one moment."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def before_request(self, sending: Any) -> Any:
        return self._raise("before_request", None)

    def before_tool(self, calling: Any) -> Any:
        return self._raise("before_tool", None)

    def on_run_end(self, ending: Any) -> None:
        self._raise("on_run_end", None)

    def _raise(self, moment: str, otherwise: Any) -> Any:
        if moment == self._moment:
            raise Mute
        return otherwise


async def _ended(backend: Database, chat: Any, name: str) -> None:
    """The run is told of, and the chat goes on."""
    (run,) = await _runs(backend, chat)
    assert run.status == "failed"
    assert name in str(run.error)
    assert await chat.active_run() is None
    again = await load_chat(backend, Script([say("on")]), chat.id, any_agent=True)
    assert (await again.ask("Go on")).text == "on"


async def _runs(backend: Database, chat: Any) -> list[Any]:
    ids = {message.run_id for message in await chat.messages()}
    found = [await backend.store.get_run(chat.id, run_id) for run_id in ids if run_id]
    return [run for run in found if run is not None]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_tool_whose_error_has_no_text_ends_its_run(backend: Database, error: Any) -> None:
    def break_down() -> str:
        raise error

    chat = await create_chat(backend, Script([call("break_down")]), tools=[break_down])

    with pytest.raises(ChatRecordError, match=type(error).__name__):
        await chat.ask("Do it")

    (row,) = await chat.tool_calls()
    assert (row.status, str(row.error).partition(":")[0]) == ("failed", type(error).__name__)
    await _ended(backend, chat, type(error).__name__)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_provider_whose_error_has_no_text_ends_its_run(
    backend: Database, error: Any
) -> None:
    chat = await create_chat(backend, Script([say("Half"), fail(error)]), retries=0)

    with pytest.raises(ChatRecordError):
        await chat.ask("Hi!")

    (request,) = await chat.requests()
    assert (request.status, request.error_type) == ("failed", type(error).__name__)
    assert [message.text for message in await chat.messages()][1:] == ["Half"]
    await _ended(backend, chat, "ProviderError")


@pytest.mark.parametrize("moment", ["before_request", "before_tool"])
async def test_a_hook_whose_error_has_no_text_ends_its_run(backend: Database, moment: str) -> None:
    script = Script([call("hello")], [say("done")])
    chat = await create_chat(backend, script, tools=[hello], hooks=[Raising(moment)])

    with pytest.raises(ChatRecordError, match=f"Raising.{moment} raised Mute"):
        await chat.ask("Hi!")

    await _ended(backend, chat, "Mute")


async def test_a_hook_that_fails_at_the_end_of_a_failed_run_takes_nothing_away(
    backend: Database,
) -> None:
    script = Script([say("Half"), fail(Mute())])
    chat = await create_chat(backend, script, hooks=[Raising("on_run_end")], retries=0)

    with pytest.raises(ChatRecordError):
        await chat.ask("Hi!")

    await _ended(backend, chat, "Mute")


async def test_a_retry_without_a_text_is_sent_to_the_model(backend: Database) -> None:
    def break_down() -> str:
        raise MuteRetry("again")

    script = Script([call("break_down")], [say("done")])
    chat = await create_chat(backend, script, tools=[break_down])

    assert (await chat.ask("Do it")).text == "done"
    assert [row.status for row in await chat.tool_calls()] == ["failed"]


async def test_an_own_agent_gets_its_error_and_the_rows_tell_of_it(backend: Database) -> None:
    def break_down() -> str:
        raise Mute

    agent = Agent(Script([call("break_down")]), tools=[break_down])

    with pytest.raises(Mute):
        await agent.run("Do it", capabilities=[Persisted(backend, user_id="mute")])

    (record,) = await list_chats(backend, user_id="mute")
    chat = await load_chat(backend, Script(), record.id, any_agent=True)
    await _ended(backend, chat, "Mute")


def hello() -> str:
    return "hello"
