"""Questions that wait for their turn, and are no messages yet, as a page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chatrecord.records import Json, Run
from chatrecord.store.queued_question import queued_prompt

from .ag_ui_messages import question_messages
from .ui_messages import Page, Turn, Writer


def with_pending(page: Page, runs: Sequence[Run], files: str, *, is_ag_ui: bool) -> Page:
    """The last page of a chat with the questions of these runs, unless they have begun since."""
    known = {message["id"] for message in page.messages}
    asked = [it for it in _questions(runs, files, is_ag_ui=is_ag_ui) if it["id"] not in known]
    return replace(page, messages=[*page.messages, *asked]) if asked else page


def _questions(runs: Sequence[Run], files: str, *, is_ag_ui: bool) -> Iterator[dict[str, Json]]:
    writer = Writer({run.id: run for run in runs}, {}, {}, 6, files)
    for run in runs:
        prompt = queued_prompt(run)
        if prompt is None:
            continue
        turn = Turn([prompt])
        shown = writer.message_of(turn, None)
        assert shown is not None
        metadata = shown["metadata"]
        assert isinstance(metadata, dict)
        shown["metadata"] = {**metadata, "status": "queued"}
        yield from question_messages(turn, shown) if is_ag_ui else [shown]
