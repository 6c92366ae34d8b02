"""Tests of a Django project, run by Django's own runner: none of them hangs."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from .projects import Project, database_of

TESTS = '''
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from chatrecord.django import acreate_chat, aload_chat, create_chat, db, list_chats, load_chat
from chatrecord.django.models import Chat, Message
from chatrecord.django.testing import chats_in_memory
from chatrecord.errors import ChatNotFound, ConfigurationError
from helpdesk.models import Ticket


class InMemory(TestCase):
    """With the recipe of the docs."""

    @classmethod
    def setUpTestData(cls):
        cls.ann = User.objects.create_user("ann")

    def setUp(self):
        self.enterContext(chats_in_memory())

    def test_a_chat_answers(self):
        chat = create_chat(db, "test", user=self.ann, title="Leave", metadata={"team": "HR"})
        self.assertEqual(chat.ask("How many days?").text, "success (no tool calls)")
        loaded = load_chat(db, "test", chat.id, user=self.ann)
        self.assertEqual([message.role for message in loaded.messages()], ["user", "assistant"])
        with loaded.stream("And now?") as stream:
            self.assertEqual("".join(it.text for it in stream), "success (no tool calls)")

    def test_each_test_begins_without_chats(self):
        self.assertEqual(list_chats(db, user=self.ann), [])
        self.assertEqual(Chat.objects.count(), 0)

    def test_rows_may_refer_to_the_chat(self):
        chat = create_chat(db, "test", user=self.ann, title="Broken lamp")
        Ticket.objects.create(chat_id=chat.id)
        self.assertEqual(Ticket.objects.get().chat.title, "Broken lamp")
        self.assertEqual(Ticket.objects.get().chat.user, self.ann)

    async def test_an_asynchronous_test_works_too(self):
        chat = await acreate_chat(db, "test", user=self.ann)
        await chat.ask("How many days?")
        loaded = await aload_chat(db, "test", chat.id, user_id=self.ann.pk)
        self.assertEqual(len(await loaded.messages()), 2)


class WithoutTheRecipe(TestCase):
    """Nothing hangs: the error names what to do."""

    def test_a_question_names_the_recipe(self):
        ann = User.objects.create_user("ann")
        chat = create_chat(db, "test", user=ann)
        self.assertEqual(Chat.objects.get().user, ann)
        with self.assertRaisesRegex(ConfigurationError, "chats_in_memory"):
            chat.ask("How many days?")


class Committed(TransactionTestCase):
    """As in production."""

    def test_a_chat_answers_and_its_rows_are_there(self):
        ann = User.objects.create_user("ann")
        chat = create_chat(db, "test", user=ann)
        chat.ask("How many days?")
        self.assertEqual(Message.objects.filter(chat=chat.id).count(), 2)
        self.assertEqual(Message.objects.get(seq=2).text, "success (no tool calls)")

    def test_a_chat_of_a_transaction_answers_after_it(self):
        with transaction.atomic():
            ann = User.objects.create_user("ann")
            chat = create_chat(db, "test", user=ann)
            Ticket.objects.create(chat_id=chat.id)
        chat.ask("How many days?")
        self.assertEqual(Ticket.objects.get().chat.user, ann)

    def test_the_rows_of_the_test_before_are_gone(self):
        self.assertEqual(Message.objects.count(), 0)
'''
MODELS = """
    from django.db import models

    class Ticket(models.Model):
        chat = models.ForeignKey("chatrecord.Chat", on_delete=models.CASCADE)
"""


@pytest.fixture(params=["memory", "file", "postgresql", "mariadb"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    name = f"chatrecord_test_{uuid4().hex[:12]}"
    if request.param in ("memory", "file"):
        where = ":memory:" if request.param == "memory" else "site.db"
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": where}
    else:
        driver = {"postgresql": "psycopg", "mariadb": "pymysql"}[request.param]
        pytest.importorskip(driver)
        database = database_of(request.getfixturevalue(f"{request.param}_url"), name)
    made = Project(tmp_path, database, helpdesk={"models.py": MODELS, "tests.py": TESTS})
    if request.param == "file":
        made.set("DATABASES['default']['TEST'] = {'NAME': 'test_site.db'}")
    made.manage("makemigrations", "helpdesk")
    return made


def test_every_kind_of_test_case_works(project: Project) -> None:
    said = project.manage("test", "-v", "1")

    assert "Ran 8 tests" in said
    assert "OK" in said
