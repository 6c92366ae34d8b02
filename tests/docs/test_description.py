"""The page of the package: the README, rendered as the package index does, with links that work."""

from __future__ import annotations

import re
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def description() -> str:
    pytest.importorskip("hatchling")
    spec = spec_from_file_location("hatch_build", ROOT / "scripts" / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    metadata: dict[str, Any] = dict(PROJECT)
    module.DescriptionHook(str(ROOT), {}).update(metadata)
    assert metadata["readme"]["content-type"] == "text/markdown"
    return metadata["readme"]["text"]


def test_every_link_leads_somewhere_on_any_page(description: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", description)
    assert len(links) > 30
    repository = PROJECT["urls"]["Repository"]
    for link in links:
        assert link.startswith(("https://", "#")), link
        if link.startswith(repository):
            kind, _, path = link.removeprefix(f"{repository}/").partition("/main/")
            assert kind in ("blob", "raw", "tree")
            assert (ROOT / path.partition("#")[0]).exists(), link


def test_the_description_renders(description: str) -> None:
    renderer = pytest.importorskip("readme_renderer.markdown")
    html = renderer.render(description)
    assert html is not None
    assert "<table>" in html and html.count("<pre") >= 4
    assert "](" not in re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)


def test_the_extra_all_has_every_extra_but_those_with_a_reason() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    named = set(everything.removeprefix("chatrecord[").removesuffix("]").split(","))
    engines = {"celery", "dbos", "procrastinate", "taskiq"}  # one is enough
    # A large engine, a large model of language, and what would choose the version of Pydantic AI.
    left_out = {"local", "presidio", "evals"} | engines
    assert named == extras.keys() - {"all"} - left_out
