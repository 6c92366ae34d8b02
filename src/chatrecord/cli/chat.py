"""`chatrecord chat`: a chat in the terminal, or one question and its answer."""

from __future__ import annotations

import asyncio
import os
import shlex
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import TypeAlias

from chatrecord import Attachment, Chat, ChatStream, Limits
from chatrecord.chats.options import RuntimeOptions
from chatrecord.errors import ChatBusy, DatabaseFailed, RunError
from chatrecord.records import ChatRecord, Reply, ToolCall
from chatrecord.sqlalchemy import create_chat, load_chat

from .answer import footer, shortened, stream_answer, whole_answer
from .approval import DENIED, check_can_approve, is_approved, with_approval
from .arguments import DEFAULT_DB
from .database import Chats, open_database, shown
from .keyboard import Keyboard
from .llm import Choice, open_llm
from .program import PROGRAM
from .question import Question, question_text, read_files
from .reference import chat_of, latest_chat, scope_of, short
from .screen import Screen
from .show import show_message
from .stopping import until_stopped
from .tool_file import Tool, tools_of

Opening: TypeAlias = Callable[[], Awaitable[ChatStream[str]]]

_SHOWN_ON_RESUMING = 6
_LONGEST_TITLE = 60
_FAILED, _STOPPED = 1, 128 + 2


def run(arguments: Namespace) -> int:
    """Answer the one question that was given, or talk until the user leaves."""
    text = question_text(arguments.prompt, arguments.attach)
    files = asyncio.run(read_files(arguments.attach))
    tools = [tool for file in arguments.tools for tool in tools_of(file)]
    if arguments.approve:
        check_can_approve()
    # What pydantic-ai says to those who build with it is not for those who chat.
    os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")
    with ExitStack() as stack:
        talk = Talk(arguments, tools, Screen(), stack)
        return talk.go_on(files) if text is None else talk.say(Question(text, files))


class Talk:
    """One chat, its database and its LLM, for as long as the command runs.

    The loop only runs while something is awaited, so that the prompt is an ordinary `input()`.
    """

    def __init__(
        self, arguments: Namespace, tools: Sequence[Tool], screen: Screen, stack: ExitStack
    ) -> None:
        self._arguments = arguments
        self._tools = tools
        self._screen = screen
        self._show_answer = whole_answer if arguments.no_stream else stream_answer
        self._runner = stack.enter_context(asyncio.Runner())
        self._db: Chats = self._runner.run(open_database(arguments.db))
        stack.callback(lambda: self._runner.run(self._db.close()))
        self._record = self._runner.run(self._earlier_chat())
        self._choice: Choice = stack.enter_context(open_llm(arguments.model, screen))
        self._chat: Chat | None = None

    def say(self, question: Question) -> int:
        """Ask, and show the answer with its usage. Returns the exit status."""
        try:
            reply = self._read(lambda: self._asked(question))
            while reply is not None and reply.awaiting_approval:
                self._decide(reply.awaiting_approval)
                reply = self._read(self._resumed)
        except (RunError, ChatBusy, DatabaseFailed) as error:
            self._screen.note(f"chatrecord: {error}", "red")
            return _FAILED
        if reply is None:
            self._screen.note("stopped; the partial answer is stored")
            return _STOPPED
        self._screen.note(footer(reply, is_local=self._choice.is_local))
        return 0

    def go_on(self, files: Sequence[Attachment]) -> int:
        """Talk until the user leaves. The files go with the first question."""
        self._greet(files)
        keyboard = Keyboard(self._screen)
        if self._record is not None:
            self._runner.run(self._show_earlier(self._record, keyboard))
        for line in keyboard.lines():
            self.say(Question(line, files))
            files = ()
        self._part()
        return 0

    def _read(self, opening: Opening) -> Reply[str] | None:
        """Show an answer to its end. `None` where Ctrl-C has stopped it."""
        return self._runner.run(until_stopped(self._shown(opening)))

    async def _shown(self, opening: Opening) -> Reply[str]:
        # The first time, opening the chat loads the LLM library, which takes a second.
        self._screen.wait("thinking ...")
        try:
            return await self._show_answer(await opening(), self._screen)
        finally:
            self._screen.end_line()

    async def _asked(self, question: Question) -> ChatStream[str]:
        chat = await self._opened(question.text)
        return chat.stream(question.text, attachments=question.attachments)

    async def _resumed(self) -> ChatStream[str]:
        assert self._chat is not None
        return self._chat.resume()

    def _decide(self, calls: Sequence[ToolCall]) -> None:
        """Ask the user about each call. The LLM gets the denials and answers."""
        assert self._chat is not None
        for call in calls:
            if is_approved(call):
                self._runner.run(self._chat.approve(call.call_id))
            else:
                self._runner.run(self._chat.deny(call.call_id, reason=DENIED))

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
        options = self._options()
        chat: Chat = await load_chat(self._db, self._choice.llm, record.id, **scope, **options)
        return chat

    async def _new_chat(self, prompt: str) -> Chat:
        chat: Chat = await create_chat(
            self._db,
            self._choice.llm,
            instructions=self._arguments.instructions or self._choice.instructions,
            title=shortened(prompt, _LONGEST_TITLE),
            **scope_of(self._arguments.user),
            **self._options(),
        )
        return chat

    def _options(self) -> RuntimeOptions:
        return {
            "on_disconnect": "stop",
            "window": self._choice.window,
            "any_agent": True,
            "tools": with_approval(self._tools) if self._arguments.approve else self._tools,
            "limits": Limits(attachment_bytes=None),
        }

    def _greet(self, files: Sequence[Attachment]) -> None:
        place = shown(self._arguments.db)
        self._screen.note(f"{self._choice.name} · {place} · Ctrl-C stops an answer, Ctrl-D leaves")
        if self._tools:
            self._screen.note(f"tools: {', '.join(tool.__name__ for tool in self._tools)}")
        if files:
            names = ", ".join(file.name or "a file" for file in files)
            self._screen.note(f"with the first question: {names}")

    async def _show_earlier(self, record: ChatRecord, keyboard: Keyboard) -> None:
        messages = await self._db.store.messages(record.id, limit=_SHOWN_ON_RESUMING, before=None)
        for message in messages:
            show_message(message, (), self._screen)
            if message.role == "user":
                keyboard.remember(message.text)

    def _part(self) -> None:
        chat_id = self._chat.id if self._chat else self._record.id if self._record else None
        if chat_id is not None:
            self._screen.note(f"Continue with: {self._command(short(chat_id))}")

    def _command(self, reference: str) -> str:
        """The command that continues the chat. It contains no password."""
        words = [PROGRAM, "chat", "--chat", reference]
        for option in ("model", "db", "user"):
            value = getattr(self._arguments, option)
            if value not in (None, DEFAULT_DB) and "@" not in value:
                words += [f"--{option}", value]
        for file in self._arguments.tools:
            words += ["--tools", file]
        if self._arguments.approve:
            words.append("--approve")
        return shlex.join(words)
