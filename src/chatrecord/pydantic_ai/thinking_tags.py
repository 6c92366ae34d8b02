"""Parts reasoning in tags from the text of a stream, wherever the stream is cut.

pydantic-ai parts them only where each tag is a chunk of its own: a server that sends half a tag, or
a tag with text, leaves the tags in the text, or all of the answer in the reasoning. The text of the
stream is cut here so that it always is as pydantic-ai expects, and its rules do the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic_ai.messages import ModelResponseStreamEvent
from pydantic_ai.models import StreamedResponse

Handle = Callable[..., Iterable[ModelResponseStreamEvent]]


class TagParting:
    """Between a stream and what makes parts of its text. Only for streams that mind tags."""

    def __init__(self, stream: StreamedResponse) -> None:
        manager = getattr(stream, "_parts_manager", None)
        self._cutter = TagCutter()
        self._last: dict[str, Any] = {}
        self._handle: Handle | None = getattr(manager, "handle_text_delta", None)
        if self._handle is not None:
            vars(manager)["handle_text_delta"] = self._cut

    def _cut(
        self, *, content: str, thinking_tags: tuple[str, str] | None = None, **given: Any
    ) -> Iterable[ModelResponseStreamEvent]:
        assert self._handle is not None
        if thinking_tags is None:
            return self._handle(content=content, **given)
        if self._cutter.passes(content, thinking_tags):
            return self._handle(content=content, thinking_tags=thinking_tags, **given)
        self._last = {**given, "thinking_tags": thinking_tags}
        return self._handled(content)

    def _handled(self, content: str) -> Iterator[ModelResponseStreamEvent]:
        assert self._handle is not None
        given = self._last
        drops_space = bool(given.get("ignore_leading_whitespace"))
        pieces = list(self._cutter.cut(content, given["thinking_tags"], drops_space=drops_space))
        if not content:  # such as citations that come without text
            pieces = [""]
        for piece in pieces:
            yield from self._handle(content=piece, **given)

    def rest(self) -> list[ModelResponseStreamEvent]:
        """What is held back, once the stream has ended: it is no tag after all."""
        rest = self._cutter.rest()
        if not rest or self._handle is None:
            return []
        return list(self._handle(content=rest, **self._last))


class TagCutter:
    """Cuts text so that each tag is a piece of its own. Half a tag is held back."""

    def __init__(self) -> None:
        self._held = ""
        self._is_inside = False
        self._is_fresh = True

    def passes(self, text: str, tags: tuple[str, str]) -> bool:
        """Whether the text is one piece as it is: nothing before it or in it may be of a tag."""
        return not (self._is_fresh or self._held or tags[self._is_inside][0] in text)

    def cut(self, text: str, tags: tuple[str, str], *, drops_space: bool) -> Iterator[str]:
        """This text, together with what was held back.

        Where leading space is dropped, it is a piece of its own, too.
        """
        text, self._held = self._held + text, ""
        while text:
            tag = tags[self._is_inside]
            before, found, text = text.partition(tag)
            if not found:
                half = _half(before, tag)
                before, self._held = before[: len(before) - half], before[len(before) - half :]
            yield from self._pieces(before, drops_space=drops_space)
            if found:
                yield tag
                self._is_inside = not self._is_inside
                self._is_fresh = True

    def rest(self) -> str:
        """What is held back."""
        held, self._held = self._held, ""
        return held

    def _pieces(self, text: str, *, drops_space: bool) -> Iterator[str]:
        if drops_space and self._is_fresh and not self._is_inside:
            stripped = text.lstrip()
            if stripped != text:
                yield text[: len(text) - len(stripped)]
            text = stripped
        if text:
            self._is_fresh = False
            yield text


def _half(text: str, tag: str) -> int:
    """The number of characters at the end that may start the tag."""
    if tag[0] not in text[-len(tag) :]:
        return 0
    lengths = range(min(len(tag) - 1, len(text)), 0, -1)
    return next((length for length in lengths if tag.startswith(text[-length:])), 0)
