"""Use that the type checker passes, and misuse that it must refuse."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "typing"


def mypy(folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(folder)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    ).stdout  # fmt: skip


def test_good_use_passes() -> None:
    assert mypy(FOLDER / "good") == ""


def test_every_misuse_is_a_type_error_on_its_own_line() -> None:
    """Each line that ends in `# refused: CODE` is an error of that code, and no other line is."""
    told = mypy(FOLDER / "bad")
    found = set(re.findall(r"(\w+\.py):(\d+): error: .*\[([\w-]+)\]", told))
    expected = {
        (path.name, str(number), code)
        for path in (FOLDER / "bad").glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for code in re.findall(r"# refused: ([\w-]+)", line)
    }
    assert found == expected, told
    assert len(expected) >= 8


def pyright(folder: Path) -> set[tuple[str, int]]:
    """The lines with errors, by file."""
    told = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(folder)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    ).stdout  # fmt: skip
    found = json.loads(told[told.index("{") :])
    assert found["summary"]["filesAnalyzed"] >= 2
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in found["generalDiagnostics"]
        if each["severity"] == "error"
    }


@pytest.mark.skipif(
    not (find_spec("pyright") and shutil.which("node")), reason="pyright, or its Node, is not here"
)
def test_pyright_passes_and_refuses_the_same() -> None:
    assert pyright(FOLDER / "good") == set()
    refused = {
        (path.name, number)
        for path in (FOLDER / "bad").glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "# refused:" in line
    }
    assert pyright(FOLDER / "bad") == refused
