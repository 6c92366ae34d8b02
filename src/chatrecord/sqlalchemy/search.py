"""The search in what was said, with the columns of the chats as keywords."""

from __future__ import annotations

from typing import overload

from chatrecord.chats import searching
from chatrecord.chats.search_hits import SearchHit
from chatrecord.chats.semantic_search import search_by_meaning

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade

_OTHERS = ["limit", "after", "superseded", "semantic", "snippet"]


@overload
async def search_messages(
    db: Database[ReadyMade, Metadata],
    query: str,
    *,
    limit: int = 20,
    after: SearchHit | None = None,
    superseded: bool = False,
    semantic: object = None,
    snippet: int = searching.SNIPPET,
    user_id: str | None = ...,
) -> list[SearchHit]: ...


@overload
async def search_messages(
    db: Database[OwnChat, Metadata],
    query: str,
    *,
    limit: int = 20,
    after: SearchHit | None = None,
    superseded: bool = False,
    semantic: object = None,
    snippet: int = searching.SNIPPET,
    **scope: object,
) -> list[SearchHit]: ...


async def search_messages(
    db: AnyDatabase,
    query: str,
    *,
    limit: int = 20,
    after: SearchHit | None = None,
    superseded: bool = False,
    semantic: object = None,
    snippet: int = searching.SNIPPET,
    **scope: object,
) -> list[SearchHit]:
    """Return what was said about something, the best hits first.

        for hit in await search_messages(db, "wifi password", user_id="u1"):
            print(hit.chat_id, hit.role, hit.snippet.text)

    Searches titles, questions and answers. `query` is any text of up to 255 characters: a hit has
    all of its words. `"two words"` in double quotes follow each other, `pass*` is the beginning of
    a word, and `-word` leaves out what has it. A text without a word finds nothing. `after` is the
    last hit of the page before. `superseded=True` also searches replaced questions and answers.
    `snippet` is the length of snippets in characters. Columns of your chats as keywords restrict
    it. The newest 500 messages and titles that fit are ranked. Raises `SearchUnavailable` before
    `db.create_search()`, and with `encryption=`.

    `semantic` is the embedder that `db.embed_messages` was given: questions and answers that mean
    the same come first, whatever their words. `rank` is then the cosine of the angle between the
    meanings, up to 1, and the snippet is the beginning of the text. Each call sends a request to
    the embedder. Raises `SearchUnavailable` before `db.create_semantic_search()`, and
    `ConfigurationError` where vectors of another model or length are stored.
    """
    check(
        db, "search_messages", scope, others=["limit", "after", "superseded", "semantic", "snippet"]
    )
    if after is not None and not isinstance(after, SearchHit):
        msg = "after= takes the last SearchHit of the page before"
        raise TypeError(msg)
    if semantic is not None:
        return await search_by_meaning(
            db,
            query,
            semantic,
            limit=limit,
            after=after,
            superseded=superseded,
            scope=scope,
            snippet=snippet,
        )
    return await searching.search_messages(
        db,
        query,
        limit=limit,
        after=after,
        superseded=superseded,
        scope=scope,
        snippet=snippet,
    )
