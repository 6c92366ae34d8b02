"""Titles: chats are renamed, and found by what they are called."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chatrecord.chats import opening as chats
from chatrecord.errors import ChatNotFound
from chatrecord.records import ChatRecord
from chatrecord.runs.process import Backend
from chatrecord.testing.look import load, new_chat
from chatrecord.testing.script import Script

from .shared import AWKWARD


class TitlesAreKept:
    """Titles: chats are renamed, and found by what they are called."""

    @pytest.mark.parametrize("title", ["Travel policy", "über \U0001f680", AWKWARD, None])
    async def test_a_chat_is_renamed_and_keeps_its_place(
        self, backend: Backend, title: str | None
    ) -> None:
        owner = {"user_id": str(uuid4())}
        chat = await new_chat(backend, Script(), title="before", user_id=owner["user_id"])
        other = await new_chat(backend, Script(), user_id=owner["user_id"])
        before = chat.record

        for _ in range(2):
            await chat.rename(title)

        loaded = await load(backend, chat, Script())
        assert chat.title == loaded.title == (title and title.strip())
        assert loaded.record.updated_at == before.updated_at
        listed = await chats.list_chats(backend, limit=9, before=None, scope=owner)
        assert [each.id for each in listed] == [other.id, chat.id]

    @pytest.mark.parametrize("title", ["", " \n\t", "x" * 256])
    async def test_what_is_no_title_is_refused(self, backend: Backend, title: str) -> None:
        chat = await new_chat(backend, Script(), title="before")

        with pytest.raises(ValueError, match=r"None to take it away|at most 255 characters"):
            await chat.rename(title)

        assert (await load(backend, chat, Script())).title == "before"

    async def test_a_deleted_chat_is_not_renamed(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        await chats.delete_chat(backend, chat.id, {})

        with pytest.raises(ChatNotFound):
            await chat.rename("anybody there?")

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("policy", ["The Travel Policy", "policy 100%_"]),
            ("POLICY", ["The Travel Policy", "policy 100%_"]),
            ("%", ["policy 100%_"]),
            ("_", ["policy 100%_"]),
            (".", ["a.c [b] \\d ***:x ^(y)$"]),
            ("A.C [b] \\D ***:X ^(Y)$", ["a.c [b] \\d ***:x ^(y)$"]),
            ("ÄRGER", ["Ärger in Ἀθῆναι"]),
            ("ärger IN ἀΘῆΝαι", ["Ärger in Ἀθῆναι"]),
            ("\x00 and \ud800", ["NUL \x00 and \ud800"]),
            ("nowhere", []),
            ("policy travel", ["The Travel Policy"]),
            ("  POL\u00a0trav\tpol ", ["The Travel Policy"]),
            ("policy nowhere", []),
            ("c$ a.c", []),
            ("y)$ a.c", ["a.c [b] \\d ***:x ^(y)$"]),
            ("ἀθῆναι ärger", ["Ärger in Ἀθῆναι"]),
        ],
    )
    async def test_a_chat_is_found_by_words_of_its_title_in_any_order(
        self, backend: Backend, search: str, found: list[str]
    ) -> None:
        owner = {"user_id": str(uuid4())}
        for title in (
            None, "The Travel Policy", "policy 100%_", "a.c [b] \\d ***:x ^(y)$", "Ärger in Ἀθῆναι",
            "NUL \x00 and \ud800",
        ):  # fmt: skip
            await new_chat(backend, Script(), title=title, user_id=owner["user_id"])
        await new_chat(backend, Script(), title=f"{search} policy", user_id=str(uuid4()))

        assert _titles(await _page(backend, owner, search)) == found[::-1]

    async def test_results_are_paged(self, backend: Backend) -> None:
        owner = {"user_id": str(uuid4())}
        for n in range(7):
            title = f"{'odd' if n % 2 else 'even'} {n}"
            await new_chat(backend, Script(), title=title, user_id=owner["user_id"])

        first = await _page(backend, owner, "EVEN", limit=3)
        second = await _page(backend, owner, "EVEN", limit=3, before=first[-1])

        assert _titles([*first, *second]) == ["even 6", "even 4", "even 2", "even 0"]

    @pytest.mark.parametrize("search", ["", "  ", "x" * 256])
    async def test_an_impossible_search_is_refused(self, backend: Backend, search: str) -> None:
        with pytest.raises(ValueError, match="search= "):
            await _page(backend, {}, search)


async def _page(
    backend: Backend,
    scope: dict[str, str],
    search: str,
    *,
    limit: int = 9,
    before: ChatRecord | None = None,
) -> list[ChatRecord]:
    return await chats.list_chats(backend, limit=limit, before=before, scope=scope, search=search)


def _titles(found: list[ChatRecord]) -> list[str | None]:
    return [chat.title for chat in found]
