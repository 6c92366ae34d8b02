"""Markdown as a terminal shows it: nothing that was said gets lost or is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableDataElement
from rich.syntax import Syntax
from rich.text import Text

# Raw HTML, pictures and definitions of links would not be shown at all: they stay text. A line of
# dashes below a paragraph is mostly a list that has just begun, not a heading.
_PARSER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["lheading", "image", "reference"])
)


def blocks(text: str) -> list[str]:
    """The text in blocks: paragraphs, headings, lists, tables, code. All but the last are whole."""
    lines = text.split("\n")
    starts = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map]
    bounds = pairwise([*starts, len(lines)])
    return ["\n".join(lines[start:end]) for start, end in bounds]


def rendered(block: str, console: Console) -> list[str]:
    """The block as lines for this terminal. The last column stays free: no line wraps by itself."""
    with console.capture() as capture:
        console.print(_Block(block), width=max(1, console.width - 1), soft_wrap=False)
    return _trimmed([line.rstrip(" ") for line in capture.get().split("\n")])


def _trimmed(lines: list[str]) -> list[str]:
    """Without the empty lines around it: the distance between blocks is the same for all."""
    full = [number for number, line in enumerate(lines) if Text.from_ansi(line).plain.strip()]
    return lines[full[0] : full[-1] + 1] if full else []


class _Heading(Heading):
    """On the left, as everything else."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text


class _Code(CodeBlock):
    """In the terminal's colours and without a frame, so that it can be copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Syntax(
            str(self.text).rstrip(),
            self.lexer_name,
            theme="ansi_dark",
            background_color="default",
            word_wrap=True,
        )


class _Cell(TableDataElement):
    """A word that is wider than its column continues on the next line; it is not cut."""

    def __init__(self, justify: JustifyMethod) -> None:
        super().__init__(justify)
        self.content.overflow = "fold"


class _Block(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "td_open": _Cell,
        "th_open": _Cell,
    }

    def __init__(self, markup: str) -> None:
        # A link shows where it leads: its text is the LLM's choice.
        super().__init__("", hyperlinks=False)
        self.markup = markup
        self.parsed = list(_with_line_breaks(_PARSER.parse(markup)))


def _with_line_breaks(tokens: Sequence[Token]) -> Iterator[Token]:
    """LLMs break lines where they want them broken, as in a poem."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"
        yield token
