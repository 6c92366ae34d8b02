"""Every Python snippet of README and docs runs, each page from top to bottom."""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chatrecord.sqlalchemy import Database

from .pages import PAGES, Block, blocks, name_of

NEEDED = {"evaluations": "pydantic_evals"}
"""What a page needs that is no part of `all`."""
LACKING = pytest.mark.skip(reason="the package of the page's extra is not installed")


def cases() -> Iterator[Any]:
    """Each page that shows Python, and each block that says why it is not run."""
    for page in PAGES:
        shown = list(blocks(page, "python"))
        if shown:
            marks = [] if page.stem not in NEEDED or find_spec(NEEDED[page.stem]) else [LACKING]
            runs = [block for block in shown if not block.skip]
            yield pytest.param(runs, id=name_of(page), marks=marks)
        for block in shown:
            if block.skip:
                yield pytest.param([], id=block.place, marks=pytest.mark.skip(reason=block.skip))


@pytest.mark.usefixtures("keys")
@pytest.mark.filterwarnings("default:The model .* is deprecated")  # models age faster than pages
@pytest.mark.parametrize("page", list(cases()))
def test_page_runs(page: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = ModuleType("snippet")  # frameworks look up annotations in the module of a function
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names = vars(module)
    databases: dict[int, Database[Any]] = {}
    with asyncio.Runner() as loop:
        for block in page:
            run(block, names, loop)
            databases |= {id(it): it for it in names.values() if isinstance(it, Database)}
        wait = names.get("wait", loop.run)  # where the page is about plain synchronous code
        for database in databases.values():
            wait(database.close())


def run(block: Block, names: dict[str, Any], loop: asyncio.Runner) -> None:
    """As `python -m asyncio` would; a block without `await` runs outside of the loop."""
    tree = ast.parse(block.padded, str(block.page))
    watch = Handlers()
    watch.visit(tree)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(tree, str(block.page), "exec", flags=flags, dont_inherit=True)
    names["__handled__"] = watch.reached.add
    if code.co_flags & inspect.CO_COROUTINE:
        loop.run(eval(code, names))
    else:
        exec(code, names)
    assert watch.reached == watch.shown, f"{block.place} shows an error that is not raised"


class Handlers(ast.NodeVisitor):
    """Takes down the `except` clauses that were reached, but for those inside of functions.

    A snippet that shows how an error is caught would otherwise pass where nothing is raised.
    """

    def __init__(self) -> None:
        self.shown: set[int] = set()
        self.reached: set[int] = set()

    def visit_ExceptHandler(self, handler: ast.ExceptHandler) -> None:
        self.shown.add(handler.lineno)
        here = ast.parse(f"__handled__({handler.lineno})").body
        handler.body = [*(ast.copy_location(node, handler) for node in here), *handler.body]
        ast.fix_missing_locations(handler)

    def visit_FunctionDef(self, function: ast.FunctionDef) -> None:
        """Whether a function gets there is up to its caller."""

    def visit_AsyncFunctionDef(self, function: ast.AsyncFunctionDef) -> None:
        """Whether a function gets there is up to its caller."""
