"""Writes the documents that are published as PDF only: handbook/sources/*.md to handbook/*.pdf.

    pip install fpdf2
    python handbook/make_pdfs.py

The sources are Markdown with titles, headings and paragraphs; a line of `---` starts a page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF

HERE = Path(__file__).resolve().parent
SIZES = {"# ": 20, "## ": 14}


def write(source: Path, target: Path) -> None:
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))  # the same bytes every time
    pdf.set_margin(25)
    pdf.add_page()
    for block in source.read_text().split("\n\n"):
        mark, text = _read(block.strip())
        if text == "---":
            pdf.add_page()
            continue
        pdf.set_font("Helvetica", "B" if mark else "", SIZES.get(mark, 11))
        # The fonts of every PDF reader know Latin-1 only.
        line = text.encode("latin-1", "replace").decode("latin-1")
        pdf.multi_cell(0, 9 if mark else 6, line, new_x="LMARGIN", new_y="NEXT", align="L")
        pdf.ln(2)
        if mark == "# ":
            pdf.set_title(text)
    pdf.output(str(target))


def _read(block: str) -> tuple[str, str]:
    mark = next((mark for mark in SIZES if block.startswith(mark)), "")
    return mark, " ".join(block.removeprefix(mark).split())


if __name__ == "__main__":
    for source in sorted((HERE / "sources").glob("*.md")):
        write(source, HERE / f"{source.stem}.pdf")
        print(f"{source.stem}.pdf")
