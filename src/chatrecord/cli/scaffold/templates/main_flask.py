"""A chat page. Start it with `python main.py`, and open http://127.0.0.1:8000."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from chatrecord.errors import ChatNotFound, ChatRecordError, RunInterrupted
from chatrecord.records import Message
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import (
    SyncChat,
    SyncStream,
    create_chat,
    list_chats,
    load_chat,
    wait,
)
from flask import Flask, Response, abort, jsonify, request

from database import open_database, prepare

LLM = os.environ.get("CHAT_LLM", "test")
"""Such as openai:gpt-5.2, with OPENAI_API_KEY. "test" gives the same answer to everything."""

PAGE = Path(__file__).with_name("index.html")


def visitor() -> str:
    """Whose chats may be seen. Replace this by your sign-in: a cookie only knows a browser."""
    return request.cookies.get("visitor") or abort(401)


def create_app(db: Database, llm: object = LLM) -> Flask:
    """The application on this database."""
    app = Flask(__name__)
    wait(prepare(db))
    _add_chats(app, db, llm)
    _add_answers(app, db, llm)

    @app.get("/")
    def page() -> Response:
        response = Response(PAGE.read_bytes(), mimetype="text/html")
        if "visitor" not in request.cookies:
            response.set_cookie("visitor", uuid4().hex, httponly=True, samesite="lax")
        return response

    @app.errorhandler(ChatNotFound)
    def not_found(_error: ChatNotFound) -> tuple[Response, int]:
        return jsonify(error={"message": "There is no such chat."}), 404

    return app


def chat_of(db: Database, llm: object, chat_id: str) -> SyncChat:
    """The visitor's chat of this id. A new question stops the answer to the one before."""
    return load_chat(db, llm, chat_id, user_id=visitor(), on_busy="interrupt")


def _add_chats(app: Flask, db: Database, llm: object) -> None:
    @app.get("/api/chats")
    def chats() -> Response:
        found = list_chats(db, user_id=visitor())
        shown = [
            {"id": chat.id, "title": chat.title, "createdAt": chat.created_at.isoformat()}
            for chat in found
        ]
        return jsonify(chats=shown)

    @app.post("/api/chats/new")
    def new() -> tuple[Response, int]:
        chat = create_chat(db, llm, user_id=visitor(), title=request.get_json().get("title"))
        return jsonify(id=chat.id), 201

    @app.get("/api/chats/<chat_id>")
    def read(chat_id: str) -> Response:
        chat = chat_of(db, llm, chat_id)
        run = chat.active_run()
        return jsonify(
            messages=[_shown(message) for message in chat.messages(50)],
            pendingApprovals=[],
            activeRun=run and {"id": run.id},
        )


def _add_answers(app: Flask, db: Database, llm: object) -> None:
    @app.post("/api/chats")
    def ask() -> Response:
        body = request.get_json()
        chat = chat_of(db, llm, body["id"])
        return _events(chat.stream(body["text"], idempotency_key=body.get("key")))

    @app.get("/api/chats/<chat_id>/stream")
    def follow(chat_id: str) -> Response:
        return _events(chat_of(db, llm, chat_id).follow())

    @app.post("/api/chats/<chat_id>/stop")
    def stop(chat_id: str) -> Response:
        return jsonify(stopped=chat_of(db, llm, chat_id).stop())


def _shown(message: Message) -> dict[str, object]:
    parts = [{"type": "text", "text": message.text}] if message.text else []
    role = "user" if message.role == "user" else "assistant"
    return {"role": role, "parts": parts, "metadata": {"status": message.status}}


def _events(stream: SyncStream[str]) -> Response:
    """The answer as server-sent events. It is stored while it streams, whoever reads it."""

    def events() -> Iterator[str]:
        try:
            for chunk in stream:
                if chunk.kind == "text":
                    yield _event("text", {"text": chunk.text})
            yield _event("end", {"status": "complete"})
        except RunInterrupted:
            yield _event("end", {"status": "interrupted"})
        except ChatRecordError:
            yield _event("end", {"status": "failed", "error": {"message": "The answer failed."}})

    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return Response(events(), mimetype="text/event-stream", headers=headers)


def _event(name: str, data: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


if __name__ == "__main__":
    create_app(open_database()).run(port=8000, threaded=True)
