"""Which files a project has, by what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from chatrecord.errors import ConfigurationError

_PACKAGES = {
    "fastapi": ("fastapi", "uvicorn", "httpx"),
    "starlette": ("uvicorn", "httpx"),
    "litestar": ("litestar", "uvicorn", "httpx"),
    "flask": ("flask",),
    "none": (),
}
"""What the project and its test import beside chatrecord and pytest."""

_MIGRATIONS = {
    "models.py": "models.py",
    "alembic.ini": "alembic.ini",
    "migrations/env.py": "env.py",
    "migrations/script.py.mako": "script.py.mako",
    "migrations/versions/0001_chats.py": "0001_chats.py",
}
"""The files of own tables, and the templates of the files."""

_DJANGO = {
    "main.py": "django/main.py",
    "urls.py": "django/urls.py",
    "pages.py": "django/pages.py",
    "index.html": "index.html",
    "test_main.py": "django/test_main.py",
}
_DJANGO_OWN = {
    "chats/models.py": "django/models.py",
    "chats/migrations/0001_initial.py": "django/0001_initial.py",
}

_TESTS = {"flask": "test_flask.py", "none": "test_script.py"}


@dataclass(frozen=True, slots=True)
class Project:
    """What was chosen, each by its name in `choices.py`."""

    web: str
    tables: str

    def write(self, folder: Path) -> list[Path]:
        """Write all files, and return where they are. Raises if one of them is there already."""
        written = {folder / name: text for name, text in self._files().items()}
        if there := [name for name in self._files() if (folder / name).exists()]:
            msg = f"{folder} has {', '.join(there)} already. Choose another folder: init FOLDER"
            raise ConfigurationError(msg)
        try:
            for path, text in written.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            msg = f"{folder} cannot be written to: {error.strerror}. Choose another: init FOLDER"
            raise ConfigurationError(msg) from error
        return list(written)

    def _files(self) -> dict[str, str]:
        found = self._of_django() if self.web == "django" else self._of_others()
        return found | {"requirements.txt": "".join(f"{name}\n" for name in self._packages())}

    def _of_django(self) -> dict[str, str]:
        found = {name: _template(template) for name, template in _DJANGO.items()}
        found["settings.py"] = _template("django/settings.py")
        if self.tables == "own":
            found["settings.py"] += _template("django/settings_own.py")
            found |= {name: _template(template) for name, template in _DJANGO_OWN.items()}
            found |= {"chats/__init__.py": "", "chats/migrations/__init__.py": ""}
        return found

    def _of_others(self) -> dict[str, str]:
        script = "script" if self.web == "none" else self.web
        found = {
            "main.py": _template(f"main_{script}.py"),
            "database.py": _template(f"database_{self.tables}.py"),
            "test_main.py": _template(_TESTS.get(self.web, "test_web.py")),
        }
        if self.web != "none":
            found["index.html"] = _template("index.html")
        if self.tables == "own":
            found |= {name: _template(template) for name, template in _MIGRATIONS.items()}
        return found

    def _packages(self) -> tuple[str, ...]:
        if self.web == "django":
            return ("chatrecord[django]",)
        extras = [] if self.web in ("flask", "none") else ["web"]
        extras += ["migrations"] if self.tables == "own" else []
        chatrecord = f"chatrecord[{','.join(extras)}]" if extras else "chatrecord"
        return chatrecord, *_PACKAGES[self.web], "pytest"


def _template(name: str) -> str:
    return (files("chatrecord.cli.scaffold") / "templates" / name).read_text("utf-8")
