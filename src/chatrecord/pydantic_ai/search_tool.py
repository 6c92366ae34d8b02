"""The search in what was said, as a tool for the model."""

from __future__ import annotations

from typing import TypedDict

from pydantic_ai import RunContext, Tool

from chatrecord.chats.search_hits import SearchHit
from chatrecord.chats.searching import search_messages
from chatrecord.chats.semantic_search import search_by_meaning
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.text.arguments import check_count
from chatrecord.text.search_query import LONGEST_QUERY

_SNIPPET = 500
"""Characters of each text that the model gets."""

_DESCRIPTION = """Search the earlier chats with this user, titles, questions and answers.

A hit has all of the words, so search for few: the words that matter. "Two words" in double quotes
follow each other, pass* is the beginning of a word, and -word leaves out what has it.
"""

_OF_MEANINGS = """Search the earlier chats with this user, questions and answers, by what they mean.

Say what you search for in a sentence: other words that mean the same are found, too.
"""


def search_tool(
    db: Backend,
    *,
    limit: int = 5,
    name: str = "search_chats",
    semantic: object = None,
    **scope: object,
) -> Tool[object]:
    """Return a tool with which the model searches the chats of one owner, and no others.

        chat = await create_chat(db, llm, user_id="u1", tools=[search_tool(db, user_id="u1")])

    The keywords are columns of your chats. The model chooses the words; it cannot choose the
    owner. It gets `limit` hits at most, without the question that is being answered. `semantic` is
    an embedder, for a search by meaning, whose requests belong to the run of the tool. Raises
    `TypeError` without a column, and for a column that there is not. `SearchUnavailable` is raised
    by a call: see `search_messages`.
    """
    check_count("limit", limit)
    if not scope or None in scope.values():
        msg = "search_tool() needs the owner of the chats, such as user_id=: the model sees theirs"
        raise TypeError(msg)
    for column, value in scope.items():
        db.store.check_column(column, value)

    async def search_chats(context: RunContext[object], query: str) -> list[dict[str, str | None]]:
        options = _Options(
            limit=limit + 1, after=None, superseded=False, scope=scope, snippet=_SNIPPET
        )
        query = query[:LONGEST_QUERY]
        if semantic is None:
            hits = await search_messages(db, query, **options)
        else:
            hits = await search_by_meaning(db, query, semantic, **options)
        asked = context.prompt if isinstance(context.prompt, str) else ""
        return [_told(hit) for hit in hits if not _is_part_of(asked, hit)][:limit]

    description = _DESCRIPTION if semantic is None else _OF_MEANINGS
    return Tool(search_chats, name=name, description=description, takes_ctx=True)


class _Options(TypedDict):
    limit: int
    after: None
    superseded: bool
    scope: Scope
    snippet: int


def _is_part_of(question: str, hit: SearchHit) -> bool:
    """Whether this is the question that is being answered, which says what is searched for."""
    return hit.role == "user" and hit.snippet.text.strip("… ") in " ".join(question.split())


def _told(hit: SearchHit) -> dict[str, str | None]:
    return {
        "chat": str(hit.chat_id),
        "title": hit.title,
        "by": hit.role,
        "at": hit.created_at.isoformat(timespec="minutes"),
        "text": hit.snippet.text,
    }
