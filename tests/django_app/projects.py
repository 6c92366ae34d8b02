"""A Django project in a folder of its own, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from sqlalchemy import make_url

SRC = str(Path(__file__).parents[2] / "src")

SETTINGS = """
try:
    import pymysql
    pymysql.install_as_MySQLdb()
except ImportError:
    pass

SECRET_KEY = "of the tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "site_urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "chatrecord.django",
    *APPS,
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""


def database_of(url: str, name: str) -> dict[str, object]:
    """The entry of settings.DATABASES for the server of a URL."""
    given = make_url(url)
    kind = {"sqlite": "sqlite3", "postgresql": "postgresql", "mysql": "mysql"}
    return {
        "ENGINE": f"django.db.backends.{kind[given.get_backend_name()]}",
        "NAME": name,
        "HOST": given.host or "",
        "PORT": given.port or "",
        "USER": given.username or "",
        "PASSWORD": given.password or "",
    }


class Project:
    """Files in a folder, and the commands that are run there."""

    def __init__(self, folder: Path, database: dict[str, object], **apps: dict[str, str]) -> None:
        self.folder = folder
        self.write("manage.py", """
            import os, sys
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
            from django.core.management import execute_from_command_line
            execute_from_command_line(sys.argv)
        """)  # fmt: skip
        self.write("site_urls.py", "urlpatterns = []")
        database = {"TEST": {"NAME": f"test_{database['NAME']}"}, **database}
        if database["NAME"] == ":memory:":
            del database["TEST"]
        head = f"APPS = {list(apps)!r}\nDATABASES = {{'default': {database!r}}}\n"
        (folder / "site_settings.py").write_text(head + SETTINGS)
        for app, files in apps.items():
            self.write(f"{app}/__init__.py", "")
            for name, text in files.items():
                self.write(f"{app}/{name}", text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())

    def set(self, text: str) -> None:
        """Add to the settings."""
        path = self.folder / "site_settings.py"
        path.write_text(path.read_text() + "\n" + dedent(text))

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([SRC, str(self.folder)])
        return {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "site_settings"}

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run Python there, and return what it says."""
        told = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = told.stdout + told.stderr
        assert told.returncode == code, said
        return said

    def manage(self, *arguments: str, code: int = 0) -> str:
        return self.run("manage.py", *arguments, code=code)
