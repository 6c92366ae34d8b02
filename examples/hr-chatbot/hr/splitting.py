"""Documents to passages, by their own structure: headings, paragraphs, pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from .texts import plain

LONGEST = 700
"""Characters of a passage: about 150 tokens, which also a small LLM can read."""

MOST_PAGES = 300

MOST_PASSAGES = 2_000
"""Of a document: the embeddings of so many take about a minute."""

LONGEST_TITLE = 200
"""Characters of a title or heading: each passage carries both."""


class UnreadableDocument(ValueError):
    """A document that nothing can be read from; its message says why."""


@dataclass(frozen=True)
class Piece:
    heading: str
    text: str
    page: int | None = None


@dataclass(frozen=True)
class Split:
    title: str
    pieces: list[Piece]


def split(name: str, content: bytes) -> Split:
    """The passages of a document. Raises `UnreadableDocument`."""
    stem, _, kind = name.rpartition(".")
    paragraphs = list(_of_pdf(content) if kind == "pdf" else _of_text(content, kind))
    title = next((it.text for it in paragraphs if it.is_title), stem.replace("-", " ").capitalize())
    pieces = list(_packed(it for it in paragraphs if not it.is_title))
    if len(pieces) > MOST_PASSAGES:
        msg = f"{name} is too long, with {len(pieces)} passages: split it and try again"
        raise UnreadableDocument(msg)
    if not pieces:
        msg = f"{name} has no text that could be read"
        raise UnreadableDocument(msg)
    return Split(title[:LONGEST_TITLE], pieces)


@dataclass(frozen=True)
class _Paragraph:
    heading: str
    text: str
    page: int | None = None
    is_title: bool = False


def _of_text(content: bytes, kind: str) -> Iterator[_Paragraph]:
    heading = ""
    for block in re.split(r"\n\s*\n", _decoded(content)):
        lines = block.strip().splitlines()
        if lines and kind == "md" and (found := re.match(r"(#+)\s+(.+)", lines[0])):
            heading = found[2].strip() if found[1] != "#" else ""
            if found[1] == "#":
                yield _Paragraph("", found[2].strip(), is_title=True)
            lines = lines[1:]
        if lines:
            yield _Paragraph(heading, "\n".join(lines))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\0", "").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        msg = "This is no UTF-8 text: save it as UTF-8 and try again"
        raise UnreadableDocument(msg) from error


def _of_pdf(content: bytes) -> Iterator[_Paragraph]:
    """What is set larger than most is a heading, and the largest of all on page 1 the title."""
    pages = _lines_of(content)
    sizes = Counter(line.size for lines in pages for line in lines for _ in line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    largest = max(sizes, default=0.0)
    heading = ""
    for number, lines in enumerate(pages, 1):
        said: list[str] = []
        for line in lines:
            if line.size <= body + 0.5:
                said.append(line.text)
                continue
            if said:
                yield _Paragraph(heading, " ".join(said), number)
                said = []
            if line.size == largest and number == 1:
                yield _Paragraph("", line.text, is_title=True)
            else:
                heading = line.text
        if said:
            yield _Paragraph(heading, " ".join(said), number)


@dataclass
class _Line:
    size: float
    text: str


def _lines_of(content: bytes) -> list[list[_Line]]:
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted:
            problem = "This PDF is encrypted: save it without a password and try again"
        elif len(reader.pages) > MOST_PAGES:
            problem = f"This PDF has more than {MOST_PAGES} pages: split it and try again"
        else:
            return [_lines_on(page) for page in reader.pages]
    except _OF_DAMAGED_FILES as error:
        msg = "This file cannot be read as a PDF: it is damaged, or something else"
        raise UnreadableDocument(msg) from error
    raise UnreadableDocument(problem)


_OF_DAMAGED_FILES = (
    PyPdfError,
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""pypdf raises almost anything for a file that is damaged in an unforeseen way."""


def _lines_on(page: PageObject) -> list[_Line]:
    lines: list[_Line] = []
    row = None

    def visit(text: str, _cm: Any, tm: Any, _font: Any, size: float) -> None:
        nonlocal row
        text = " ".join(plain(text).split())
        if not text:
            return
        size = round(size * abs(tm[3] or 1), 1)
        if lines and lines[-1].size == size and row == tm[5]:
            lines[-1].text += f" {text}"
        else:
            lines.append(_Line(size, text))
        row = tm[5]

    page.extract_text(visitor_text=visit)
    return lines


def _packed(paragraphs: Iterable[_Paragraph]) -> Iterator[Piece]:
    """Paragraphs of one section together, as long as they fit."""
    held: Piece | None = None
    for paragraph in paragraphs:
        for text in _short(paragraph.text):
            new = Piece(paragraph.heading[:LONGEST_TITLE], text, paragraph.page)
            if held and (held.heading, held.page) == (new.heading, new.page):
                joined = f"{held.text}\n\n{text}"
                if len(joined) <= LONGEST:
                    held = Piece(held.heading, joined, held.page)
                    continue
            if held:
                yield held
            held = new
    if held:
        yield held


def _short(text: str) -> Iterator[str]:
    """The text, cut between sentences or lines where it is too long, or else anywhere."""
    held = ""
    for sentence in re.split(r"(?<=[.!?])\s+|\n(?=[-*|])", text):
        for part in (sentence[i : i + LONGEST] for i in range(0, len(sentence), LONGEST)):
            if held and len(held) + len(part) >= LONGEST:
                yield held
                held = ""
            separator = "\n" if part[:1] in "-*|" else " "
            held = f"{held}{separator}{part}" if held else part
    if held:
        yield held
