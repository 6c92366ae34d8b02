"""The documentation builds without a warning, and fetches nothing from anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

pytest.importorskip("mkdocs", reason="the documentation's tools are not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # Not --quiet: --strict would see no warning then.
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = r"""<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=["'](https?:)?//[^"']+"""
    for page in site.rglob("*.html"):
        assert re.findall(loaded, page.read_text("utf-8")) == [], page.name


def test_the_reference_is_made_from_docstrings(site: Path) -> None:
    chats = (site / "reference" / "chats.html").read_text("utf-8")
    assert "Send a message and return the final answer" in chats
