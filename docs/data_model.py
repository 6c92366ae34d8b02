"""Draws docs/data-model.svg from the metadata of the ready-made tables.

python docs/data_model.py
"""
# ruff: noqa: INP001 - a script beside its picture, not a package

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from sqlalchemy import Column, Table

from chatrecord.sqlalchemy.tables import Base

SVG = Path(__file__).with_name("data-model.svg")

ROW, HEAD, PAD, WIDTH = 18, 30, 12, 226
GUTTER, MARGIN, LEGEND = 62, 34, 46
STACKS = (
    ("llm_chats", "llm_runs", "llm_events", "llm_event_readers"),
    ("llm_messages", "llm_chunks", "llm_attachments"),
    ("llm_tool_calls", "llm_requests", "llm_usage_days", "llm_feedback"),
)
TYPES = {
    "Uuid": "uuid",
    "LongText": "text",
    "PrivateText": "text",
    "PrivateJson": "json",
    "PrivateDocument": "json",
    "Key": "text(255)",
    "JsonValue": "json",
    "JsonDocument": "json",
    "UtcDateTime": "time",
    "Bytes": "bytes",
    "Integer": "int",
    "BigInteger": "int",
    "Date": "date",
    "Float": "float",
    "Double": "float",
    "Boolean": "bool",
    "Money": "decimal",
}
STYLE = """
  .card { fill: #ffffff; stroke: #8a94a6; }
  .head { fill: #33517e; }
  .title { fill: #ffffff; font-weight: 600; font-size: 13px; }
  .name { fill: #1c2430; }
  .key { font-weight: 600; }
  .type { fill: #566072; text-anchor: end; }
  .line { fill: none; stroke: #7d879a; stroke-width: 1.5; }
  .loose { stroke-dasharray: 5 4; }
  .legend { fill: #7d879a; }
  text { font-family: system-ui, 'DejaVu Sans', sans-serif; font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #1d222b; stroke: #667085; }
    .head { fill: #3b5f95; }
    .name { fill: #e6e9ef; }
    .type { fill: #a9b2c0; }
  }
"""


@dataclass(frozen=True)
class Line:
    """From one table's id to the many that name it in `by`. `out`: how far it runs beside them."""

    one: str
    many: str
    by: str
    out: int = GUTTER // 2
    stacked: bool = False


LINES = (
    Line("llm_chats", "llm_runs", "chat_id", 18, stacked=True),
    Line("llm_runs", "llm_messages", "run_id"),
    Line("llm_messages", "llm_chunks", "message_id", 16, stacked=True),
    Line("llm_messages", "llm_tool_calls", "message_id"),
    Line("llm_messages", "llm_requests", "message_id"),
)


@dataclass(frozen=True)
class Card:
    """A table, and where it is drawn."""

    table: Table
    left: int
    top: int

    @property
    def columns(self) -> list[Column[object]]:
        """The table's columns, its own id and that of its chat first."""
        first = [self.table.c[name] for name in ("id", "chat_id") if name in self.table.c]
        return first + [column for column in self.table.c if column not in first]

    @property
    def bottom(self) -> int:
        return self.top + HEAD + ROW * len(self.columns) + PAD // 2

    @property
    def right(self) -> int:
        return self.left + WIDTH

    def middle_of(self, name: str) -> int:
        place = [column.name for column in self.columns].index(name)
        return self.top + HEAD + ROW * place + ROW // 2


def picture() -> str:
    """The drawing as SVG text."""
    cards = {card.table.name: card for card in laid_out()}
    width = max(card.right for card in cards.values()) + PAD
    height = max(card.bottom for card in cards.values()) + LEGEND
    told = "The eleven tables, their columns, and how they refer to each other"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{told}">',
        f"<style>{STYLE}</style>",
        *(part for line in LINES for part in drawn_line(line, cards)),
        *(part for card in cards.values() for part in drawn_card(card)),
        *legend(height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def laid_out() -> Iterator[Card]:
    """Every table at its place."""
    for place, stack in enumerate(STACKS):
        top = PAD
        for name in stack:
            card = Card(Base.metadata.tables[name], MARGIN + place * (WIDTH + GUTTER), top)
            yield card
            top = card.bottom + 28


def drawn_card(card: Card) -> Iterator[str]:
    """A box with the table's name and its columns."""
    left, top, height = card.left, card.top, card.bottom - card.top
    yield f'<rect class="card" x="{left}" y="{top}" width="{WIDTH}" height="{height}" rx="6"/>'
    yield (
        f'<path class="head" d="M{left} {top + HEAD - 5}v{11 - HEAD}q0-6 6-6h{WIDTH - 12}'
        f'q6 0 6 6v{HEAD - 11}z"/>'
    )
    yield f'<text class="title" x="{left + PAD}" y="{top + 17}">{card.table.name}</text>'
    for column in card.columns:
        yield from drawn_column(card, column)


def drawn_column(card: Card, column: Column[object]) -> Iterator[str]:
    """A column's name, what it refers to, and its type."""
    baseline = card.middle_of(column.name) + 5
    key = " key" if column.primary_key else ""
    targets = (to.column.table.name.removeprefix("llm_") for to in column.foreign_keys)
    refers = "".join(f" → {target}" for target in targets)
    yield (
        f'<text class="name{key}" x="{card.left + PAD}" y="{baseline}">'
        f"{escape(column.name)}{refers}</text>"
    )
    yield f'<text class="type" x="{card.right - PAD}" y="{baseline}">{type_of(column)}</text>'


def type_of(column: Column[object]) -> str:
    """The column's type in a word, with a question mark where it may be NULL."""
    return TYPES[type(column.type).__name__] + ("?" if column.nullable else "")


def drawn_line(line: Line, cards: dict[str, Card]) -> Iterator[str]:
    """A line that ends in a crow's foot."""
    start, end = cards[line.one], cards[line.many]
    loose = "" if end.table.c[line.by].foreign_keys else " loose"
    from_x = start.left if line.stacked else start.right
    turn = start.left - line.out if line.stacked else start.right + line.out
    x, y = end.left, end.middle_of(line.by)
    way = f"M{from_x} {start.middle_of('id')}H{turn}V{y}H{x - 8}"
    yield f'<path class="line{loose}" d="{way}"/>'
    yield f'<path class="line" d="M{x} {y - 5}L{x - 9} {y}L{x} {y + 5}M{x - 9} {y}H{x}"/>'


def legend(height: int) -> Iterator[str]:
    """What the lines and marks mean."""
    y, x = height - 14, MARGIN
    for style, told, width in (
        ("line", "foreign key, deleted with its chat", 264),
        ("line loose", "refers to, without a constraint", 244),
    ):
        yield f'<path class="{style}" d="M{x} {y - 4}h30"/>'
        yield f'<text class="legend" x="{x + 38}" y="{y}">{told}</text>'
        x += width
    yield f'<text class="legend" x="{x}" y="{y}">? may be NULL. Bold: primary key.</text>'


if __name__ == "__main__":
    SVG.write_text(picture(), encoding="utf-8")
