"""Models of one's own instead of the ready-made ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from .projects import Project, database_of

MODELS = """
    from django.conf import settings
    from django.db import models

    from chatrecord.django.abstract_models import AbstractChat, AbstractMessage


    class Team(models.Model):
        name = models.CharField(max_length=50)


    class Chat(AbstractChat):
        department = models.CharField(max_length=100, blank=True)
        priority = models.PositiveSmallIntegerField(default=3)
        team = models.ForeignKey(Team, models.SET_NULL, null=True)
        opened_at = models.DateTimeField(auto_now_add=True)
        budget = models.DecimalField(max_digits=8, decimal_places=2, null=True)

        class Meta(AbstractChat.Meta):
            db_table = "hr_chats"


    class Message(AbstractMessage):
        class Meta(AbstractMessage.Meta):
            db_table = "hr_messages"
"""
ADMIN = """
    from django.contrib import admin

    from chatrecord.django.admin import ChatAdmin
    from hr.models import Chat

    admin.site.register(Chat, ChatAdmin)
"""
TESTS = """
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import TransactionTestCase

from chatrecord.django import create_chat, db, list_chats, load_chat, usage
from chatrecord.sqlalchemy.sync import wait
from hr.models import Chat, Message, Team


class Own(TransactionTestCase):
    def test_the_columns_are_theirs(self):
        ann, team = User.objects.create_user("ann"), Team.objects.create(name="North")
        chat = create_chat(db, "test", user=ann, department="HR", budget=Decimal("9.50"), team=team)
        self.assertEqual(chat.ask("Hello").text, "success (no tool calls)")
        row = Chat.objects.get()
        self.assertEqual((row.department, row.priority, row.team), ("HR", 3, team))
        self.assertEqual(row.budget, Decimal("9.50"))
        self.assertIsNotNone(row.opened_at)
        self.assertEqual(chat.record.columns["opened_at"], row.opened_at)
        self.assertEqual(Message.objects.filter(chat=row).count(), 2)

    def test_defaults_are_the_same_in_a_transaction(self):
        plain = create_chat(db, "test")
        with transaction.atomic():
            inside = create_chat(db, "test")
        for name in ("department", "priority", "team_id", "budget"):
            self.assertEqual(plain.record.columns[name], inside.record.columns[name])

    def test_they_are_scopes(self):
        create_chat(db, "test", department="HR")
        self.assertEqual(len(list_chats(db, department="HR")), 1)
        self.assertEqual(list_chats(db, department="hr"), [])
        self.assertEqual(usage(db, by=["department"]), [])

    def test_the_tables_are_theirs(self):
        tables = connection.introspection.table_names()
        self.assertIn("hr_chats", tables)
        self.assertNotIn("llm_chats", tables)
        self.assertNotIn("llm_messages", tables)
        self.assertIn("llm_runs", tables)
        wait(db.check())

    def test_the_admin_shows_them(self):
        chat = create_chat(db, "test", department="HR")
        self.client.force_login(User.objects.create_superuser("boss"))
        page = self.client.get(f"/admin/hr/chat/{chat.id}/change/")
        self.assertContains(page, "Department:")
        self.assertEqual(self.client.get("/admin/hr/chat/").status_code, 200)
"""


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def project(request: Any, tmp_path: Path) -> Project:
    if request.param == "sqlite":
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    else:
        pytest.importorskip({"postgresql": "psycopg", "mariadb": "pymysql"}[request.param])
        name = f"chatrecord_test_{uuid4().hex[:12]}"
        database = database_of(request.getfixturevalue(f"{request.param}_url"), name)
    files = {"models.py": MODELS, "tests.py": TESTS, "admin.py": ADMIN}
    made = Project(tmp_path, database, hr=files)
    made.write("site_urls.py", """
        from django.contrib import admin
        from django.urls import path
        urlpatterns = [path("admin/", admin.site.urls)]
    """)  # fmt: skip
    made.set("""
        CHATRECORD_CHAT_MODEL = "hr.Chat"
        CHATRECORD_MESSAGE_MODEL = "hr.Message"
        STATIC_URL = "static/"
    """)
    made.manage("makemigrations", "hr", "-v", "0")
    return made


def test_a_project_has_chats_and_messages_of_its_own(project: Project) -> None:
    assert "No changes detected" in project.manage("makemigrations", "--check")
    said = project.manage("test")

    assert "Ran 5 tests" in said
    assert "OK" in said
