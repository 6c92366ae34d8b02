"""How long a person waits for the first word: questions one after the other, each in a new chat.

.venv/bin/python load/first_word.py http://127.0.0.1:8000    # beside ./start
"""

from __future__ import annotations

import sys
import time
from statistics import median

import httpx

QUESTIONS = (
    "How many unused days of leave can I carry over?",
    "What may a hotel night cost on a business trip?",
    "May I fly business class?",
    "How long is parental leave?",
    "Can I work from abroad?",
    "How is overtime paid?",
)
WORDS = 'data: {"type":"text-delta"'


def main(address: str) -> None:
    with httpx.Client(base_url=address, headers={"origin": address}, timeout=120) as client:
        told = {"email": "ada@example.com", "password": "ada-demo"}
        client.post("/api/sign-in", json=told).raise_for_status()
        times = []
        for question in QUESTIONS:
            times.append(first_word(client, question))
            print(f"{times[-1]:5.2f} s  {question}", flush=True)
        print(f"{median(times):5.2f} s  median, {max(times):.2f} s at most")


def first_word(client: httpx.Client, question: str) -> float:
    """Seconds from sending to the first word of the answer."""
    chat = client.post("/api/chats/new", json={}).json()["id"]
    began = time.monotonic()
    first = None
    body = {"id": chat, "text": question}
    with client.stream("POST", "/api/chats", json=body) as answer:
        for (
            line
        ) in answer.iter_lines():  # to its end, so that the next question has the model alone
            if first is None and line.startswith(WORDS):
                first = time.monotonic() - began
    if first is None:
        msg = f"No word came to {question!r}"
        raise RuntimeError(msg)
    return first


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
