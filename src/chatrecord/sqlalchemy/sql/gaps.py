"""Moments within the gaps between counted days."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_

from chatrecord.spending.days import Cover
from chatrecord.sqlalchemy.generics import Expression


def within_gaps(moment: Expression, cover: Cover) -> list[ColumnElement[bool]]:
    """Whether a moment is in one of the gaps."""
    gaps = []
    for since, until in cover.gaps:
        bounds = [] if since is None else [moment >= since]
        bounds += [] if until is None else [moment < until]
        if not bounds:
            return []
        gaps.append(and_(*bounds))
    return [or_(*gaps)] if gaps else [false()]
