"""What a provider's own tools have found, and the sources it cites, is sent back as it came."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from pydantic_ai import messages as pydantic_ai_messages
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
)

from chatrecord.pydantic_ai.messages import _message, body_of
from chatrecord.sqlalchemy import Database, export_chat, import_chat, import_history, load_chat

from .answers import says
from .clients import model_clients
from .conftest import ANTHROPIC, GEMINI, OPENAI_RESPONSES, Provider
from .server import ProviderServer

FOUND = {
    "type": "web_search_result",
    "url": "https://example.com/oslo",
    "title": "Oslo",
    "encrypted_content": "c2VhbGVk",
    "page_age": None,
}
CITED = {
    "type": "web_search_result_location",
    "url": "https://example.com/oslo",
    "title": "Oslo",
    "encrypted_index": "aW5kZXg=",
    "cited_text": "Oslo has 720,000 people.",
}


KNOWS_CITATIONS = "citations" in {field.name for field in fields(TextPart)}
"""Whether this version of pydantic-ai does."""


def cited(source: dict[str, Any], text: str) -> dict[str, Any]:
    """The citations of a text."""
    if not KNOWS_CITATIONS:
        return {}
    whole = pydantic_ai_messages.ContentCitationAnchor(start=0, end=len(text))
    web = pydantic_ai_messages.WebCitationSource(url=source["url"], title=source["title"])
    return {"citations": [pydantic_ai_messages.Citation([web], anchor=whole)]}


def searched(provider: Provider) -> list[ModelMessage]:
    """A question that was answered by searching the web."""
    name, call_id = provider.system, "srvtoolu_01"
    content: Any = [FOUND] if provider is ANTHROPIC else {"status": "completed", "sources": [FOUND]}
    details = {"citations": [CITED]} if provider is ANTHROPIC else {"logprobs": [0.5]}
    found = NativeToolReturnPart("web_search", content, call_id, provider_name=name)
    text = TextPart(
        "720,000.", provider_name=name, provider_details=details, **cited(CITED, "720,000.")
    )
    query = {"query": "people of Oslo"} if provider is ANTHROPIC else {
        "type": "search", "query": "people of Oslo"
    }  # fmt: skip
    call = NativeToolCallPart("web_search", query, call_id, provider_name=name, id="ws_01")
    return [
        ModelRequest.user_text_prompt("How many people live in Oslo?"),
        ModelResponse(
            [call, found, text], provider_name=name, model_name=provider.model_name,
            finish_reason="stop",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("provider", [ANTHROPIC, OPENAI_RESPONSES, GEMINI], ids=lambda p: p.name)
async def test_searches_and_citations_are_sent_back_as_pydantic_ai_does(
    db: Database, provider: Provider
) -> None:
    said = searched(provider)
    async with ProviderServer(strict=False) as server, model_clients(server.address) as connect:
        server.script(says("Norway."), says("Norway."), says("Norway."))
        asked = [*said, ModelRequest.user_text_prompt("Where is it?")]
        async with model_request_stream(connect(provider), asked) as stream:
            assert [event async for event in stream]
        record = await import_history(
            db, [body_of(each).content for each in said], format="pydantic-ai"
        )
        await (await load_chat(db, connect(provider), record.id)).ask("Where is it?")
        lines = [line async for line in export_chat(db, record.id)]
        copy = await import_chat(db, lines, new_ids=True)
        copied = await load_chat(db, connect(provider), copy.id)
        stored = await copied.messages()
        await copied.ask("Where is it?")

    bare, sent, _ = [request.body for request in server.received]
    turns = [body.get("messages") or body.get("input") or body["contents"] for body in (bare, sent)]
    assert turns[1] == turns[0]
    if provider is not GEMINI:  # which has no place for them
        assert "people of Oslo" in json.dumps(turns[1])
    if provider is ANTHROPIC:
        assert FOUND["encrypted_content"] in json.dumps(turns[1])
    if provider is ANTHROPIC and KNOWS_CITATIONS:
        assert CITED["encrypted_index"] in json.dumps(turns[1])
    loaded = _message.validate_python(stored[1].content)
    assert _message.dump_python(loaded) == _message.dump_python(said[1])
