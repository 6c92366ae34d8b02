"""Use that the type checker passes, and misuse that it must refuse."""

import re
import subprocess
import sys
from pathlib import Path

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
