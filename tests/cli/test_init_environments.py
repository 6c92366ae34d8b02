"""A new project in an empty environment: what it needs is what its requirements name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatrecord.cli.scaffold.choices import WEB

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(folder: Path, *words: object) -> str:
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the checks, or one that is built now."""
    if built := list(ROOT.glob("dist/chatrecord-*.whl")):
        return built[0]
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT, sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ".")
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize("web", WEB)
def test_a_project_runs_where_only_its_requirements_are_installed(
    web: str, wheel: Path, tmp_path: Path
) -> None:
    run(tmp_path, sys.executable, "-m", "venv", "env")
    python = tmp_path / "env" / "bin" / "python"
    install = (python, "-m", "pip", "install", "-q", "--only-binary=:all:")
    run(tmp_path, *install, wheel)
    run(tmp_path, python, "-m", "chatrecord", "init", "chats", "--web", web, "--tables", "own")

    project = tmp_path / "chats"
    run(project, *install, "-r", "requirements.txt")

    if web == "django":
        run(project, python, "main.py", "test")
        run(project, python, "main.py", "migrate")
    else:
        assert " passed" in run(project, python, "-m", "pytest", "-q")
        run(project, python, "-m", "alembic", "upgrade", "head")
