"""The sidebar finds what was said in the chats of who is signed in, and in nobody else's."""

from __future__ import annotations

from uuid import uuid4

from chatrecord.testing import say
from conftest import ask, new_chat


async def test_a_person_finds_what_was_said_in_their_chats_only(ada, ben, llm):
    word = f"w{uuid4().hex}"
    llm.then([say(f"The code of the bicycle shed is {word}.")])
    chat = await new_chat(ada)
    await ask(ada, chat, "How do I open the shed?")

    found = (await ada.get("/api/chats/search", params={"q": f"bicycle {word[:20]}*"})).json()

    (hit,) = found["hits"]
    assert (hit["chatId"], hit["role"]) == (chat, "assistant")
    assert {"text": word, "match": True} in hit["snippet"]
    theirs = (await ben.get("/api/chats/search", params={"q": word})).json()
    assert theirs == {"hits": [], "next": None}
