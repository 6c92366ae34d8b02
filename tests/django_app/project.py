"""A Django project in the process of the tests, on one of three databases."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType
from uuid import uuid4

from sqlalchemy import make_url

FOLDER = Path(tempfile.mkdtemp(prefix="chatrecord_django_"))
NAMES = {
    "sqlite": str(FOLDER / "site.db"),
    "postgresql": f"chatrecord_test_{uuid4().hex[:12]}",
    "mariadb": f"chatrecord_test_{uuid4().hex[:12]}",
}
ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mariadb": "mysql"}


class Router:
    """Everything is in the database that the test is about."""

    alias = "sqlite"

    def db_for_read(self, model: object, **hints: object) -> str:
        return Router.alias

    def db_for_write(self, model: object, **hints: object) -> str:
        return Router.alias

    def allow_relation(self, *objects: object, **hints: object) -> bool:
        return True


def settings_of(alias: str) -> dict[str, object]:
    return {"ENGINE": f"django.db.backends.{ENGINES[alias]}", "NAME": NAMES[alias]}


def at_server(alias: str, url: str) -> None:
    """Where the server of this database is."""
    from django.db import connections

    given = make_url(url)
    connections[alias].settings_dict.update(
        HOST=given.host, PORT=given.port or "", USER=given.username, PASSWORD=given.password or ""
    )


def set_up() -> None:
    import django
    from django.conf import settings

    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="of the tests",
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        ROOT_URLCONF="chatrecord_test_urls",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
            **{alias: settings_of(alias) for alias in NAMES},
        },
        DATABASE_ROUTERS=[Router()],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "chatrecord.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
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
        ],
        STATIC_URL="static/",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    django.setup()


def urls(patterns: list[object]) -> ModuleType:
    """The project's URLs."""
    import sys

    module = ModuleType("chatrecord_test_urls")
    module.urlpatterns = patterns
    sys.modules[module.__name__] = module
    return module
