"""Arrows point inward. Each rule with its reason."""

from __future__ import annotations

import ast
import re
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
OUTSIDE = {"alembic", "cli", "django", "engines", "evals", "fastapi", "local", "testing"} | {
    "__main__"
}
"""What is built on top, and may use everything."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if "templates" in path.parts:  # modules of the projects that `chatrecord init` writes
            continue
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
        if f"{target}.".startswith((f"chatrecord.{adapter}.", f"{adapter}."))
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
            f"{target}.".startswith(f"chatrecord.{other}.")
            for other in ADAPTERS
            if other != room(name)
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


LOADED_BY_NAME = {
    ("chats.opened", "chatrecord.pydantic_ai"): "opens an LLM: tables and migrations need none",
    ("chats.opening", "chatrecord.pydantic_ai"): "repairs the runs of dead processes",
    (
        "chats.semantic_search",
        "chatrecord.pydantic_ai.embedder",
    ): "opens an embedder, which only a search by meaning needs",
    (
        "sqlalchemy.database",
        "chatrecord.pydantic_ai.recorded",
    ): "wraps embedders of the LLM library",
    ("sqlalchemy.doctor.row_repair", "chatrecord.pydantic_ai"): "writes missing tool results as "
    "the LLM library reads them, and only a repair needs that",
    (
        "transfer.histories",
        "chatrecord.pydantic_ai.importing.histories",
    ): "reads histories of other libraries, which only an import needs",
}
"""Each adapter that is loaded by its name, and why it is. docs/architecture.md lists them too."""


def test_adapters_are_loaded_by_name_in_the_listed_places_only() -> None:
    """A name in a string is a dependency that no import shows."""
    found = {
        (name, call.args[0].value)
        for name, tree in modules()
        if room(name) not in OUTSIDE
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith("import_module")
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).startswith("chatrecord.")
    }
    assert found == LOADED_BY_NAME.keys()

    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text("utf-8")
    missing = [name for name, _ in found if f"`{name.replace('.', '/')}.py`" not in page]
    assert missing == []


def test_packages_do_not_import_the_top_level() -> None:
    """`from chatrecord import Chat` would reach the adapters, past the layers."""
    known = {room(name) for name, _ in modules()}
    guilty = [
        f"{name} imports {alias.name}"
        for name, tree in modules()
        if room(name) not in OUTSIDE
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module, node.level) == ("chatrecord", 0)
        for alias in node.names
        if alias.name not in known
    ]
    assert guilty == []


def test_records_import_only_what_their_fields_are_made_of() -> None:
    """They are what everything else speaks in."""
    tree = dict(modules())["records"]
    ours = {target for target in imports("records", tree) if target.startswith("chatrecord")}
    assert {target.rpartition(".")[0] for target in ours} == {
        "chatrecord.attached",
        "chatrecord.read_only",
    }


GROUND = {
    "attached",
    "errors",
    "events",
    "feedback",
    "records",
    "read_only",
    "values",
    "ids",
    "text",
}
LAYERS = [
    (GROUND, "what everybody speaks in knows nobody"),
    ({"attachments", "hooks", "spending"}, "what is asked of a run knows no run"),
    ({"llm", "store"}, "ports know what they exchange, and nobody who uses or implements them"),
    ({"runs"}, "an answer is made and stored without a chat in anybody's hand"),
    ({"chats"}, "a chat works whatever serves it"),
    ({"webhooks"}, "events are read as anybody outside would"),
    ({"transfer"}, "moving chats needs chats, and chats need no moving"),
    (set(ADAPTERS), "adapters stand beside each other on the same core"),
    (OUTSIDE, "what is built on top may use everything"),
]
"""Each layer imports only from those before it, and from within itself."""


def rooms() -> dict[tuple[str, str], str]:
    """Which room imports from which, with an example."""
    found: dict[tuple[str, str], str] = {}
    known = {room(name) for name, _ in modules()}
    for name, tree in modules():
        for target in imports(name, tree):
            if target.startswith("chatrecord.") and name != "__init__":
                pair = (room(name), room(target.removeprefix("chatrecord.")))
                if pair[0] != pair[1] and pair[1] in known:
                    found[pair] = f"{name} imports {target}"
    return found


def layer(of: str) -> int:
    return next(number for number, (names, _) in enumerate(LAYERS) if of in names)


def test_each_layer_knows_only_those_below() -> None:
    guilty = {
        example: LAYERS[layer(importer)][1]
        for (importer, imported), example in rooms().items()
        if layer(imported) > layer(importer)
    }
    assert guilty == {}


def test_no_imports_form_a_circle() -> None:
    """Of two rooms that know each other neither can be read, tested or replaced alone."""
    known = {name for name, _ in modules()}
    graph: dict[str, set[str]] = {}
    for name, tree in modules():
        ours = [it for it in imports(name, tree) if it.startswith("chatrecord.")]
        found = {_module_of(target.removeprefix("chatrecord."), known) for target in ours}
        graph[name] = {target for target in found if target is not None} - {name}
    while leaves := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for leaf in leaves:
            del graph[leaf]
    assert graph == {}


def _module_of(target: str, known: set[str]) -> str | None:
    """The file that a name is imported from."""
    while target:
        for name in (target, f"{target}.__init__"):
            if name in known:
                return name
        target = target.rpartition(".")[0]
    return None


def test_the_picture_shows_the_imports() -> None:
    """Whoever reads docs/architecture.md sees the house as it is."""
    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text("utf-8")
    arrows = set(re.findall(r"^    (\w+) --> (\w+)$", page, re.MULTILINE))
    drawn = {
        (_drawn(importer), _drawn(imported))
        for importer, imported in rooms()
        if importer != "__main__"
    } - {("ground", "ground")}

    assert arrows <= drawn, "an arrow that is no import"
    for importer, imported in drawn:
        assert imported in _reached(importer, arrows), f"{importer} --> {imported} is not drawn"


def _drawn(name: str) -> str:
    return "ground" if name in GROUND else name


def _reached(start: str, arrows: set[tuple[str, str]]) -> set[str]:
    reached, waiting = set[str](), [start]
    while waiting:
        here = waiting.pop()
        waiting += (after := {there for begin, there in arrows if begin == here} - reached)
        reached |= after
    return reached


def test_a_port_to_a_database_has_ten_methods_at_most() -> None:
    """A reader sees who needs what, and another adapter can be built role by role."""
    ports = {
        node.name: [
            it.name for it in node.body if isinstance(it, ast.AsyncFunctionDef | ast.FunctionDef)
        ]
        for name, tree in modules()
        if room(name) == "store"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
    }
    assert len(ports) > 7
    assert {name: methods for name, methods in ports.items() if len(methods) > 10} == {}


def test_a_file_has_400_lines_at_most() -> None:
    """One noun a file. A longer file gives its reason."""
    guilty = [
        f"{path.relative_to(SOURCE)}: {lines}"
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "migrations"  # which Django writes
        and (lines := len(path.read_text().splitlines())) > 400
        and "# More than 400 lines:" not in path.read_text()
    ]
    assert guilty == []


def test_all_sql_is_in_one_place() -> None:
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
