"""Titles: which can be given to a chat, and which chats a search finds by them."""

from __future__ import annotations

LONGEST_TITLE = 255
"""Characters of a title, and of what is searched for in titles."""


def checked_title(title: str | None) -> str | None:
    """The title without spaces around it. Raises `TypeError` or `ValueError` for an invalid one."""
    if title is None:
        return None
    if not isinstance(title, str):
        msg = f"title= takes text, not {type(title).__name__}: pass str(title)"
        raise TypeError(msg)
    if not title.strip():
        msg = "title= is blank: pass None to take it away"
        raise ValueError(msg)
    if len(title.strip()) > LONGEST_TITLE:
        msg = f"title= takes at most {LONGEST_TITLE} characters, not {len(title.strip())}"
        raise ValueError(msg)
    return title.strip()


def checked_search(search: str | None) -> str | None:
    """The words to search for. Raises `TypeError` or `ValueError` for an invalid search."""
    if search is None:
        return None
    if not isinstance(search, str):
        msg = f"search= takes text, not {type(search).__name__}"
        raise TypeError(msg)
    if not search.strip():
        msg = "search= is blank: leave it out to list all chats"
        raise ValueError(msg)
    if len(search) > LONGEST_TITLE:
        msg = f"search= takes at most {LONGEST_TITLE} characters, as many as a title has"
        raise ValueError(msg)
    return search


def patterns_of(search: str) -> list[str]:
    """A regular expression for each word of a search: a title has to fit them all."""
    return [pattern_of(word) for word in dict.fromkeys(search.split())]


def pattern_of(word: str) -> str:
    """A regular expression for this text, whatever its case, which means the same everywhere.

    Databases differ in what they know of letters beyond ASCII, so each is named in both its cases.
    """
    return "".join(map(_either, word))


def _either(character: str) -> str:
    cases = (character, character.lower(), character.upper())
    one_each = sorted({case for case in cases if len(case) == 1})
    if len(one_each) > 1:
        return f"[{''.join(one_each)}]"
    is_plain = character.isalnum() or character.isspace() or not character.isascii()
    return character if is_plain or not character.isprintable() else f"\\{character}"
