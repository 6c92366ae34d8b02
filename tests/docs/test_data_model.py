"""The page and the picture of the data model say what the metadata says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Table, UniqueConstraint

from chatrecord.sqlalchemy.tables import Base

from .pages import ROOT

PAGE = ROOT / "docs" / "data-model.md"
TABLES = sorted(Base.metadata.tables)


@pytest.fixture(scope="module")
def drawing() -> SimpleNamespace:
    """docs/data_model.py, which draws the picture."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "data_model.py")))


def test_every_table_is_described() -> None:
    assert sorted(re.findall(r"^## `(\w+)`$", PAGE.read_text("utf-8"), re.MULTILINE)) == TABLES


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_described(name: str, drawing: SimpleNamespace) -> None:
    told = re.findall(r"^\| `(\w+)` \| (\S+) \|", section(name), re.MULTILINE)
    card = drawing.Card(Base.metadata.tables[name], 0, 0)
    assert told == [(column.name, drawing.type_of(column)) for column in card.columns]


@pytest.mark.parametrize("name", TABLES)
def test_every_index_is_described(name: str) -> None:
    told = re.findall(r"^Indexes: (.*)\.$", section(name), re.MULTILINE)
    named = [index for line in told for index in line.split("; ")]
    assert sorted(named) == sorted(indexes(Base.metadata.tables[name]))


def test_the_picture_is_up_to_date(drawing: SimpleNamespace) -> None:
    drawn: Path = drawing.SVG
    assert drawn.read_text("utf-8") == drawing.picture(), "run: python docs/data_model.py"


def section(name: str) -> str:
    """The part of the page about a table."""
    return PAGE.read_text("utf-8").partition(f"## `{name}`")[2].partition("\n## ")[0]


def indexes(table: Table) -> list[str]:
    """The table's indexes as the page words them."""
    found = {(index.unique, tuple(index.columns.keys())) for index in table.indexes}
    found |= {
        (True, tuple(constraint.columns.keys()))
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    return [f"{'unique ' if unique else ''}`{', '.join(names)}`" for unique, names in found]
