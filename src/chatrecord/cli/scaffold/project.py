"""Which files a project has, by what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from chatrecord.errors import ConfigurationError

_PACKAGES = {
    "fastapi": ("chatrecord[web]", "fastapi", "uvicorn", "httpx"),
    "starlette": ("chatrecord[web]", "uvicorn", "httpx"),
    "litestar": ("chatrecord[web]", "litestar", "uvicorn", "httpx"),
    "flask": ("chatrecord", "flask"),
    "none": ("chatrecord",),
}
"""What the project and its test import. A provider's client is an extra, such as [openai]."""

_TESTS = {"flask": "test_flask.py", "none": "test_script.py"}


@dataclass(frozen=True, slots=True)
class Project:
    """What was chosen, each by its name in `choices.py`."""

    web: str
    tables: str

    def write(self, folder: Path) -> list[Path]:
        """Write all files, and return where they are. Raises if one of them is there already."""
        written = {folder / name: text for name, text in self._files().items()}
        if there := [path.name for path in written if path.exists()]:
            msg = f"{folder} has {', '.join(there)} already. Choose another folder: init FOLDER"
            raise ConfigurationError(msg)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, text in written.items():
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            msg = f"{folder} cannot be written to: {error.strerror}. Choose another: init FOLDER"
            raise ConfigurationError(msg) from error
        return list(written)

    def _files(self) -> dict[str, str]:
        script = "script" if self.web == "none" else self.web
        found = {
            "main.py": _template(f"main_{script}.py"),
            "database.py": _template(f"database_{self.tables}.py"),
            "test_main.py": _template(_TESTS.get(self.web, "test_web.py")),
            "requirements.txt": "".join(f"{name}\n" for name in (*_PACKAGES[self.web], "pytest")),
        }
        if self.web != "none":
            found["index.html"] = _template("index.html")
        if self.tables == "own":
            found["models.py"] = _template("models.py")
        return found


def _template(name: str) -> str:
    return (files("chatrecord.cli.scaffold") / "templates" / name).read_text("utf-8")
