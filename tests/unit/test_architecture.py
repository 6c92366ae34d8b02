"""Arrows point inward. Each rule with its reason."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "chatrecord"
ADAPTERS = {
    "pydantic_ai": "the one room that knows the LLM library, so that another can stand beside it",
    "sqlalchemy": "the database side, so that another (Django's) can stand beside it",
    "web": "what browsers are told: it reaches chats by way of the core (`chatrecord.chats` and the "
    "store), so that it works with any database and any LLM, and applications without it need no "
    "web framework",
}
OUTSIDE = {"cli", "local", "testing", "__main__"}
"""What is built on top, and may use everything."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        yield name, ast.parse(path.read_text())


def imports(name: str, tree: ast.Module) -> Iterator[str]:
    """Absolute names of what a module imports when it is loaded, its own package included."""
    package = ["chatrecord", *name.split(".")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{whole}.{alias.name}" for alias in node.names)


def room(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def is_core(name: str) -> bool:
    return room(name) not in ADAPTERS and room(name) not in OUTSIDE


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_core_imports_no_adapter(adapter: str) -> None:
    """A core that knew its adapters could not be given another one."""
    guilty = [
        (name, target)
        for name, tree in modules()
        if is_core(name)
        for target in imports(name, tree)
        if target.startswith((f"chatrecord.{adapter}", f"{adapter}."))
    ]
    assert guilty == []


def test_adapters_do_not_know_each_other() -> None:
    """Each is replaceable only as long as it speaks to the core alone."""
    guilty = [
        (name, target)
        for name, tree in modules()
        if room(name) in ADAPTERS
        for target in imports(name, tree)
        if any(
            target.startswith(f"chatrecord.{other}") for other in ADAPTERS if other != room(name)
        )
    ]
    assert guilty == []


def test_nothing_reaches_for_what_is_built_on_top() -> None:
    """The library must work without its command line and its testing kit."""
    guilty = [
        (name, target)
        for name, tree in modules()
        if room(name) not in OUTSIDE
        for target in imports(name, tree)
        if any(target.startswith(f"chatrecord.{top}") for top in OUTSIDE)
    ]
    assert guilty == []


def test_records_know_nobody() -> None:
    """They are what everything else speaks in."""
    tree = dict(modules())["records"]
    assert not [target for target in imports("records", tree) if target.startswith("chatrecord")]


def test_all_sql_stands_in_one_place() -> None:
    """Whoever tunes or audits the queries reads one file, and those beside it for files, deletion, rules, reports and keys."""
    verbs = {"sqlalchemy.select", "sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.delete",
             "sqlalchemy.text"}  # fmt: skip
    guilty = [name for name, tree in modules() if verbs & set(imports(name, tree))]
    assert {name.rpartition(".")[0] for name in guilty} == {"sqlalchemy.sql"}


def test_tables_and_migrations_need_no_llm_library() -> None:
    """An Alembic environment imports the models, and should not pay for a model client."""
    told = subprocess.run(
        [sys.executable, "-c", "import chatrecord.sqlalchemy.sync, sys; print('pydantic_ai' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "False"


def test_the_core_needs_few_packages() -> None:
    """Every dependency is somebody's upgrade trouble."""
    ours = packages_distributions()
    allowed = {"sqlalchemy", "pydantic_ai", "pydantic", "pydantic_core", "genai_prices",
               "typing_extensions", "opentelemetry", "chatrecord", "__future__"}  # fmt: skip
    found = {
        (room(name), target.split(".")[0])
        for name, tree in modules()
        if room(name) not in OUTSIDE
        for target in imports(name, tree)
    }
    assert {
        (where, package) for where, package in found if package in ours and package not in allowed
    } <= {("web", "starlette")}, "beside an extra of its own"
