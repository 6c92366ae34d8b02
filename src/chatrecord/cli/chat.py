"""`chatrecord chat`: a chat in the terminal, or one question and its answer."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from argparse import Namespace
from contextlib import ExitStack

from chatrecord import Chat
from chatrecord.chats.options import RuntimeOptions
from chatrecord.errors import ChatBusy, ConfigurationError, DatabaseFailed, RunError
from chatrecord.records import ChatRecord, Reply
from chatrecord.sqlalchemy import create_chat, load_chat

from .answer import footer, shortened, show_answer
from .arguments import DEFAULT_DB
from .database import Chats, open_database, shown
from .keyboard import Keyboard
from .llm import Choice, open_llm
from .program import PROGRAM
from .reference import chat_of, latest_chat, scope_of, short
from .screen import Screen
from .show import show_message
from .stopping import until_stopped

_SHOWN_ON_RESUMING = 6
_LONGEST_TITLE = 60
_FAILED, _STOPPED = 1, 128 + 2


def run(arguments: Namespace) -> int:
    """Answer the one question that was given, or talk until the user leaves."""
    question = _question(arguments)
    # What pydantic-ai says to those who build with it is not for those who chat.
    os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")
    with ExitStack() as stack:
        talk = Talk(arguments, Screen(), stack)
        return talk.go_on() if question is None else talk.say(question)


def _question(arguments: Namespace) -> str | None:
    """What was typed after the command or piped into it; `None` to talk."""
    if arguments.prompt:
        return " ".join(arguments.prompt)
    if sys.stdin.isatty():
        return None
    piped = sys.stdin.buffer.read().decode(errors="replace").strip()
    if not piped:
        msg = f'There is nothing to ask. Say it: {PROGRAM} chat "...", or pipe it in'
        raise ConfigurationError(msg)
    return piped


class Talk:
    """One chat, its database and its LLM, for as long as the command runs.

    The loop only runs while something is awaited, so that the prompt is an ordinary `input()`.
    """

    def __init__(self, arguments: Namespace, screen: Screen, stack: ExitStack) -> None:
        self._arguments = arguments
        self._screen = screen
        self._runner = stack.enter_context(asyncio.Runner())
        self._db: Chats = self._runner.run(open_database(arguments.db))
        stack.callback(lambda: self._runner.run(self._db.close()))
        self._record = self._runner.run(self._earlier_chat())
        self._choice: Choice = stack.enter_context(open_llm(arguments.model, screen))
        self._chat: Chat | None = None

    def say(self, prompt: str) -> int:
        """Ask, show the answer and what it took. Returns the exit status that stands for it."""
        try:
            return self._runner.run(self._answer(prompt))
        except (RunError, ChatBusy, DatabaseFailed) as error:
            self._screen.note(f"chatrecord: {error}", "red")
            return _FAILED

    def go_on(self) -> int:
        """Talk until the user leaves."""
        self._greet()
        keyboard = Keyboard(self._screen)
        if self._record is not None:
            self._runner.run(self._show_earlier(self._record, keyboard))
        for line in keyboard.lines():
            self.say(line)
        self._part()
        return 0

    async def _answer(self, prompt: str) -> int:
        reply = await until_stopped(self._ask(prompt))
        if reply is None:
            self._screen.note("stopped; what came of the answer is stored")
            return _STOPPED
        self._screen.note(footer(reply, is_local=self._choice.is_local))
        return 0

    async def _ask(self, prompt: str) -> Reply[str]:
        # The first time, opening the chat loads the LLM library, which takes a second.
        self._screen.wait("thinking ...")
        try:
            return await show_answer(await self._opened(prompt), prompt, self._screen)
        finally:
            self._screen.end_line()

    async def _earlier_chat(self) -> ChatRecord | None:
        arguments = self._arguments
        if arguments.last:
            return await latest_chat(self._db, arguments.user)
        if arguments.chat:
            return await chat_of(self._db, arguments.chat, arguments.user)
        return None

    async def _opened(self, prompt: str) -> Chat:
        """The chat, begun only now: one in which nothing is said leaves no row."""
        if self._chat is None and self._record is not None:
            self._chat = await self._chat_of(self._record)
        elif self._chat is None:
            self._chat = await self._new_chat(prompt)
        return self._chat

    async def _chat_of(self, record: ChatRecord) -> Chat:
        scope = scope_of(self._arguments.user)
        return await load_chat(self._db, self._choice.llm, record.id, **scope, **self._options())

    async def _new_chat(self, prompt: str) -> Chat:
        return await create_chat(
            self._db,
            self._choice.llm,
            instructions=self._arguments.instructions or self._choice.instructions,
            title=shortened(prompt, _LONGEST_TITLE),
            **scope_of(self._arguments.user),
            **self._options(),
        )

    def _options(self) -> RuntimeOptions:
        return {"on_disconnect": "stop", "window": self._choice.window, "any_agent": True}

    def _greet(self) -> None:
        place = shown(self._arguments.db)
        self._screen.note(f"{self._choice.name} · {place} · Ctrl-C stops an answer, Ctrl-D leaves")

    async def _show_earlier(self, record: ChatRecord, keyboard: Keyboard) -> None:
        messages = await self._db.store.messages(record.id, limit=_SHOWN_ON_RESUMING, before=None)
        for message in messages:
            show_message(message, (), self._screen)
            if message.role == "user":
                keyboard.remember(message.text)

    def _part(self) -> None:
        chat_id = self._chat.id if self._chat else self._record.id if self._record else None
        if chat_id is not None:
            self._screen.note(f"Go on with: {self._command(short(chat_id))}")

    def _command(self, reference: str) -> str:
        """What to type to go on. A password is not repeated."""
        words = [PROGRAM, "chat", "--chat", reference]
        for option in ("model", "db", "user"):
            value = getattr(self._arguments, option)
            if value not in (None, DEFAULT_DB) and "@" not in value:
                words += [f"--{option}", value]
        return shlex.join(words)
