"""Who asks, and which of the chats are theirs."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast
from uuid import UUID

from starlette.requests import Request

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.opening import NewChat
from chatrecord.chats.options import OPTION_NAMES, RuntimeOptions
from chatrecord.errors import ChatExists, DatabaseFailed
from chatrecord.records import ChatRecord, Json
from chatrecord.runs.process import Backend
from chatrecord.text.arguments import checked_id
from chatrecord.text.typed_metadata import UNTYPED_METADATA

from .bodies import invalid
from .client_ids import chat_id_for
from .error_responses import NOT_SIGNED_IN, BadRequest

log = logging.getLogger("chatrecord")

Value = TypeVar("Value")

Owner: TypeAlias = Callable[[Request], object]
"""Who is signed in: the scope of their chats, such as `{"user_id": "u1"}`, or `None`."""

PerRequest: TypeAlias = Callable[[Request, Mapping[str, object]], object]
"""An LLM, or the options of a chat, for this request and the scope of who asks. May be async."""


@dataclass(frozen=True, slots=True)
class Access:
    """Access to chats: only to those of the signed-in user."""

    backend: Backend
    owner: Owner
    llm: object
    options: RuntimeOptions | PerRequest
    creates: bool = False
    editable: frozenset[str] = frozenset(["title"])
    """What the signed-in user may change of their chats."""

    async def scope(self, request: Request) -> dict[str, object]:
        """The columns of the signed-in user's chats.

        No columns, or one of them `None`, means that no user is signed in: it would be a
        chat of all users, or of all who are not signed in.
        """
        scope = await _awaited(self.owner(request))
        if scope is None:
            raise BadRequest(NOT_SIGNED_IN.status, NOT_SIGNED_IN.code, NOT_SIGNED_IN.message)
        if not isinstance(scope, Mapping):
            msg = f"owner= returns columns of a chat, such as {{'user_id': ...}}, not {type(scope)}"
            raise TypeError(msg)
        if not scope or None in scope.values():
            raise BadRequest(NOT_SIGNED_IN.status, NOT_SIGNED_IN.code, NOT_SIGNED_IN.message)
        for name, value in scope.items():
            self.backend.store.check_column(name, value)
        return dict(scope)

    async def chat(self, request: Request, chat_id: str) -> Chat:
        """The chat of this id, if it is theirs. Raises `ChatNotFound`."""
        scope = await self.scope(request)
        found = await self.find(chat_id, scope)
        llm, options = await self.llm_and_options(request, scope)
        return await chats.load_chat(self.backend, llm, found, scope, options)

    async def find(self, chat_id: str, scope: Mapping[str, object]) -> UUID:
        """The id of their chat of this id, ours or a client's. Raises `ChatNotFound`.

        Nothing of the application's is called for a chat that is not theirs.
        """
        for candidate in self._candidates(chat_id, scope):
            if await self.backend.store.get_chat(candidate, scope) is not None:
                return candidate
        raise chats.not_found(chat_id)

    async def restored(self, request: Request, chat_id: str) -> ChatRecord:
        """Their chat of this id, which was deleted for a time. Raises `ChatNotFound`."""
        scope = await self.scope(request)
        for candidate in self._candidates(chat_id, scope):
            if await self.backend.store.unhide_chat(candidate, scope):
                found = await self.backend.store.get_chat(candidate, scope)
                if found is not None:
                    return found
        raise chats.not_found(chat_id)

    async def new_chat(self, request: Request, client_id: str) -> Chat:
        """Their chat that a client calls so, created if there is none yet.

        Of two requests that create it at once, one finds that of the other.
        """
        scope = await self.scope(request)
        chat_id = chat_id_for(client_id, scope)
        if not self.creates or chat_id is None:
            raise chats.not_found(client_id)
        llm, options = await self.llm_and_options(request, scope)
        new = NewChat(None, None, self._first_metadata(client_id), scope, chat_id)
        try:
            return await chats.create_chat(self.backend, llm, new, options, None)
        except (ChatExists, DatabaseFailed):
            if await self.backend.store.get_chat(chat_id, scope) is None:
                raise
            return await chats.load_chat(self.backend, llm, chat_id, scope, options)

    def _first_metadata(self, client_id: str) -> dict[str, Json]:
        """What the client calls the chat, unless the metadata has a type of its own."""
        kind = self.backend.runtime.metadata_type
        if kind is UNTYPED_METADATA:
            return {"clientId": client_id}
        try:
            return kind.stored(None)
        except ValueError as error:
            log.info("A first message created no chat: %s", error)
            raise invalid("This application needs 'metadata': create the chat first.") from error

    def _candidates(self, chat_id: str, scope: Mapping[str, object]) -> list[UUID]:
        made_here = checked_id(chat_id)
        made_there = chat_id_for(chat_id, scope) if self.creates else None
        return [candidate for candidate in (made_here, made_there) if candidate is not None]

    async def llm_and_options(
        self, request: Request, scope: Mapping[str, object]
    ) -> tuple[object, RuntimeOptions]:
        """The LLM and the options for the signed-in user."""
        llm, options = self.llm, self.options
        if is_function(llm):
            llm = await _awaited(cast(PerRequest, llm)(request, scope))
        if callable(options):
            options = cast(RuntimeOptions, await _awaited(options(request, scope)) or {})
            check_names(options)
        return llm, options


def check_names(options: Mapping[str, object], caller: str = "options=") -> None:
    """Raise `TypeError` for options that chats do not have, or that these routes do not allow."""
    unknown = options.keys() - OPTION_NAMES
    if unknown:
        known = ", ".join(sorted(OPTION_NAMES - {"on_disconnect"}))
        msg = f"{caller} got unknown options {sorted(unknown)}. There are: {known}"
        raise TypeError(msg)
    if "on_disconnect" in options:
        msg = (
            f"{caller} takes no on_disconnect=: a closed tab never stops an answer. Let the "
            "page POST to .../stop instead"
        )
        raise TypeError(msg)


def is_function(given: object) -> bool:
    """Whether this is a function of an application's, rather than a model or an agent."""
    return inspect.isroutine(given) or inspect.isfunction(getattr(given, "func", None))


async def _awaited(value: object) -> object:
    return await cast(Awaitable[object], value) if inspect.isawaitable(value) else value
