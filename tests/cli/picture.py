"""What a person sees once a terminal has got all this: text, and a cursor that moves in it."""

from __future__ import annotations

import re

_PART = re.compile(r"\x1b\[(?P<number>\d*)(?P<move>[AJK])|\x1b\[[0-9;?]*[a-zA-Z]|(?P<text>.)", re.DOTALL)  # fmt: skip


def picture(raw: str) -> list[str]:
    """The lines, without colours. Knows the movements that are used here, on an endless screen."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for part in _PART.finditer(raw):
        text, move = part["text"], part["move"]
        if move == "A":
            row -= int(part["number"] or 1)
            assert row >= 0, "above the first line"
        elif move == "K":
            rows[row] = [] if part["number"] == "2" else rows[row][:column]
        elif move == "J":
            rows[row + 1 :] = []
            rows[row] = rows[row][:column]
        elif text == "\r":
            column = 0
        elif text == "\n":
            row, column = row + 1, 0
            rows += [[] for _ in range(row + 1 - len(rows))]
        elif text is not None:
            rows[row] += " " * (column - len(rows[row]))
            rows[row][column : column + 1] = text
            column += 1
    return ["".join(it).rstrip() for it in rows]
