"""A chat whose title, metadata, columns and LLM can be changed."""

from __future__ import annotations

import logging

from chatrecord.errors import ChatNotFound, ChatRecordError
from chatrecord.llm.port import LLM
from chatrecord.runs.live_run import LiveRun
from chatrecord.text.arguments import check_text

from .changes import UNCHANGED, Unchanged, changes_of, checked_changes
from .loaded_chat import LoadedChat, Metadata, Row
from .opened import OpenedLLM, is_agent
from .title_generation import title_for

log = logging.getLogger("chatrecord")


class ChangingChat(LoadedChat[Row, Metadata]):
    """A chat whose title, metadata, columns and LLM can be changed."""

    async def rename(self, title: str | None) -> None:
        """Set the title. `None` removes it.

            await chat.rename("Travel policy")

        The order of `list_chats` does not change. Raises `ValueError` for a blank title or one of
        more than 255 characters, and `ChatNotFound` if the chat was deleted.
        """
        await self.update(title=title)

    async def update(
        self,
        row: Row | None = None,
        *,
        title: str | Unchanged | None = UNCHANGED,
        metadata: Metadata | Unchanged = UNCHANGED,
        instructions: str | Unchanged | None = UNCHANGED,
        llm: object = UNCHANGED,
        **columns: object,
    ) -> None:
        """Change the chat for good, in one transaction. What you leave out stays as it is.

            await chat.update(title="Travel", metadata={**chat.metadata, "team": "HR"})
            await chat.update(llm="anthropic:claude-sonnet-5-5", instructions="Be brief.")

        `row` is `chat.row`, after you have set columns in it; other keywords set columns of your
        own, too. `metadata` replaces all of it. `llm` is a model string, a Pydantic AI model or an
        agent: the next run uses it, with the options that the chat has here. Active runs, and chats
        that were loaded before, go on with what they began with. The order of `list_chats` does not
        change.

        The change is made within the scope that the chat was loaded with: if the chat has another
        owner by now, or was deleted, `ChatNotFound` is raised. Also raises `TypeError`
        (unknown column, wrong type), `ValueError` (invalid value) and `ConfigurationError`
        (unusable LLM); then nothing is changed.
        """
        changes = checked_changes(
            self._backend,
            self.record,
            row,
            title=title,
            metadata=metadata,
            instructions=instructions,
            columns=columns,
        )
        before = self._opened
        opened = self._reopened(llm, instructions)
        if llm is not UNCHANGED:
            changes |= changes_of(opened)
        if not changes:
            return
        stored = await self._backend.store.update_chat(self.id, changes, self._scope)
        if stored is None:
            msg = f"Chat {self.id} was deleted, or is no longer within the scope it was loaded with"
            raise ChatNotFound(msg)
        self.record = stored
        self._scope = {name: changes.get(name, value) for name, value in self._scope.items()}
        if opened is not before:
            # Another task may have changed the LLM, or its instructions, meanwhile.
            self._use(opened if self._opened is before else self._reopened(llm, instructions))

    def _reopened(self, llm: object, instructions: str | Unchanged | None) -> OpenedLLM:
        """The LLM as it is after a change."""
        if llm is UNCHANGED and instructions is UNCHANGED:
            return self._opened
        given = self._opened.given if llm is UNCHANGED else llm
        if instructions is not UNCHANGED:
            return self._opened.changed(given, instructions)
        return self._opened.changed(given, None if is_agent(given) else self.record.instructions)

    async def generate_title(
        self, llm: object | None = None, *, instructions: str | None = None
    ) -> str:
        """Let an LLM write a title from the first questions and answers, and store it. Returns it.

            title = await chat.generate_title(llm="openai:gpt-5-nano")

        `llm` is a model string, a Pydantic AI model or an agent (its model is used); the default is
        the chat's LLM. `instructions` replace the default instructions. The request has a row
        without a run. You can call this during a run. Raises a `RunError` if the LLM returns no
        title.
        """
        check_text("instructions", instructions)
        asked = self._llm if llm is None else self._llm.for_side_requests(llm)
        store, policies = self._backend.store, self._policies
        title = await title_for(store, self.id, asked, policies, instructions)
        await self.rename(title)
        return title

    async def _title_after(self, run: LiveRun, llm: LLM) -> None:
        """Generate a title after a complete run. The reply does not wait for it."""
        if not await run.is_answered() or self.title is not None or self._is_titling:
            return
        store, self._is_titling = self._backend.store, True
        try:
            title = await title_for(store, self.id, llm, self._policies)
            titled = {"title": title}
            stored = await store.update_chat(self.id, titled, self._scope, only_untitled=True)
            if stored is not None:
                self.record = stored
        except ChatRecordError as error:
            log.warning("Generating a title for chat %s failed: %s", self.id, type(error).__name__)
        finally:
            self._is_titling = False
