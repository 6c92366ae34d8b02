"""The page and its answers. Run it with `python main.py test`."""

from __future__ import annotations

from chatrecord.django import create_chat, db, load_chat
from chatrecord.django.testing import chats_in_memory
from chatrecord.testing import Script, say
from django.contrib.auth.models import User
from django.test import Client, TestCase


class ChatTest(TestCase):
    """Chats in memory, for the time of each test."""

    def setUp(self) -> None:
        self.enterContext(chats_in_memory())

    def test_an_answer_is_stored(self) -> None:
        ann = User.objects.create_user("ann")
        chat = create_chat(db, Script([say("Hello, ", "you.")]), user=ann)
        chat.ask("Hello?")
        stored = load_chat(db, "test", chat.id, user=ann).messages()
        self.assertEqual([message.text for message in stored], ["Hello?", "Hello, you."])

    def test_nobody_sees_the_chats_of_another(self) -> None:
        self.assertEqual(self.client.get("/api/chats").status_code, 401)
        self.client.get("/")
        chat = self.client.post("/api/chats/new", {}, content_type="application/json").json()
        other = Client()
        other.get("/")
        self.assertEqual(other.get(f"/api/chats/{chat['id']}").status_code, 404)
