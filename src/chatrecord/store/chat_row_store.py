"""The port to chats as instances of the application's own class."""

from __future__ import annotations

from typing import Protocol

from chatrecord.records import ChatRecord
from chatrecord.store.rows import GivenRow


class ChatRowStore(Protocol):
    """Chats as instances of the class that the application has for them. Nothing is read for it."""

    def row_of(self, chat: ChatRecord) -> object:
        """A chat as an instance of that class, which belongs to no session."""

    def new_row(self, row: object) -> GivenRow:
        """What a new instance says of the chat that is to be made of it.

        Raises `TypeError` or `ValueError` for what no chat can be made of.
        """

    def changed_row(self, chat: ChatRecord, row: object) -> GivenRow:
        """What was changed in an instance of `row_of`.

        Raises `TypeError` or `ValueError` for another instance, and for changes that are none of
        the application's.
        """
