"""Anthropic's messages API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from . import rules
from .answers import Answer, Call, Refusal, Spent, retry_headers, sign
from .wire import Body, Frame, Said, event, nothing_told_by, raw_event

path = "/v1/messages"
request_id_header = "request-id"
told_by = nothing_told_by
refusal_headers = retry_headers


def frames(answer: Answer, body: Body, response_id: str) -> Iterator[Frame]:
    for data in events(answer, body, response_id):
        yield event(data, name=data["type"], piece=data["type"] == "content_block_delta")


def events(answer: Answer, body: Body, response_id: str) -> Iterator[Body]:
    spent = answer.spent or Spent()
    counted = usage(spent) | {"output_tokens": 1, "service_tier": "standard"}
    yield {"type": "message_start", "message": message(body, response_id, [], None, counted)}
    index = count()
    for search in answer.found:
        yield from block_events(next(index), search_result(search))
    if answer.reasoning:
        yield from reasoning_events(answer, next(index))
    if answer.text:
        yield from text_events(answer, next(index))
    for search in answer.searches:
        yield from block_events(next(index), search_use(search))
    for call in answer.calls:
        yield from call_events(answer, call, next(index))
    if answer.is_whole:
        end = {
            "stop_reason": stop_reason(answer),
            "stop_sequence": None,
            "stop_details": stop_details(answer),
        }
        yield {"type": "message_delta", "delta": end, "usage": final_usage(spent)}
        if answer.marked:
            yield {"type": "message_stop"}


def reasoning_events(answer: Answer, index: int) -> Iterator[Body]:
    if answer.hides_reasoning:
        yield start(index, {"type": "redacted_thinking", "data": answer.signed_by("anthropic")})
        yield {"type": "content_block_stop", "index": index}
        return
    yield start(index, {"type": "thinking", "thinking": "", "signature": ""})
    yield {"type": "ping"}
    for piece in answer.reasoning:
        yield delta(index, {"type": "thinking_delta", "thinking": piece})
    if answer.reasoning_is_closed:
        yield delta(index, {"type": "signature_delta", "signature": answer.signed_by("anthropic")})
        yield {"type": "content_block_stop", "index": index}


def text_events(answer: Answer, index: int) -> Iterator[Body]:
    yield start(index, {"type": "text", "text": ""})
    for piece in answer.text:
        yield delta(index, {"type": "text_delta", "text": piece})
    if answer.text_is_closed:
        yield {"type": "content_block_stop", "index": index}


def call_events(answer: Answer, call: Call, index: int) -> Iterator[Body]:
    yield start(index, tool_use(call) | {"input": {}})
    yield delta(index, {"type": "input_json_delta", "partial_json": ""})
    first, second = answer.arguments_of(call)
    yield delta(index, {"type": "input_json_delta", "partial_json": first})
    if not answer.cuts(call):
        yield delta(index, {"type": "input_json_delta", "partial_json": second})
        yield {"type": "content_block_stop", "index": index}


def block_events(index: int, block: Body) -> Iterator[Body]:
    yield start(index, block)
    yield {"type": "content_block_stop", "index": index}


def search_use(search: str) -> Body:
    query = {"query": "the weather"}
    return {"type": "server_tool_use", "id": search, "name": "web_search", "input": query}


def search_result(search: str) -> Body:
    found = {
        "type": "web_search_result",
        "url": "https://weather.example/oslo",
        "title": "Oslo",
        "encrypted_content": sign(search, by="anthropic"),
        "page_age": None,
    }
    return {"type": "web_search_tool_result", "tool_use_id": search, "content": [found]}


def start(index: int, block: Body) -> Body:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, change: Body) -> Body:
    return {"type": "content_block_delta", "index": index, "delta": change}


def tool_use(call: Call) -> Body:
    return {
        "type": "tool_use",
        "id": call.id,
        "name": call.name,
        "input": call.arguments,
        "caller": {"type": "direct"},
    }


def message(
    body: Body, response_id: str, content: list[Body], stop: str | None, counted: Body
) -> Body:
    return {
        "model": body["model"],
        "id": f"msg_{response_id}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": None,
        "usage": counted,
    }


def stop_details(answer: Answer) -> Body | None:
    if not answer.refusal:
        return None
    return {"type": "refusal", "category": "cyber", "explanation": "".join(answer.refusal)}


def stop_reason(answer: Answer) -> str | None:
    if answer.unexplained:
        return answer.reason
    if answer.refusal:
        return "refusal"
    if answer.paused:
        return "pause_turn"
    if answer.reason or answer.full:
        return answer.reason or "max_tokens"
    return "tool_use" if answer.calls else "end_turn"


def usage(spent: Spent) -> Body:
    """Anthropic counts the cache beside the input, not within it."""
    counted = {"input_tokens": spent.input - (spent.cache_read or 0) - (spent.cache_write or 0)}
    if spent.cache_read is not None:
        counted["cache_read_input_tokens"] = spent.cache_read
    if spent.cache_write is not None:
        counted["cache_creation_input_tokens"] = spent.cache_write
    return counted


def final_usage(spent: Spent) -> Body:
    counted = usage(spent) | {"output_tokens": spent.output} | spent.also
    if spent.reasoning is not None:
        counted["output_tokens_details"] = {"thinking_tokens": spent.reasoning}
    return counted


def whole(answer: Answer, body: Body, response_id: str) -> Body:
    content = [search_result(search) for search in answer.found]
    if answer.reasoning:
        thinking = "".join(answer.reasoning)
        content.append(
            {"type": "thinking", "thinking": thinking, "signature": answer.signed_by("anthropic")}
        )
    if answer.text:
        content.append({"type": "text", "text": "".join(answer.text)})
    content += [search_use(search) for search in answer.searches]
    content += [tool_use(call) for call in answer.calls]
    counted = final_usage(answer.spent or Spent())
    whole = message(body, response_id, content, stop_reason(answer), counted)
    return whole | {"stop_details": stop_details(answer)}


def malformed() -> Frame:
    return raw_event(
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_d',
        name="content_block_delta",
    )


def overloaded() -> Frame:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    return event({"type": "error", "error": error}, name="error")


def refusal(refusal: Refusal, request_id: str | None) -> Body:
    kind, words = refusal_words(refusal)
    return {"type": "error", "error": {"type": kind, "message": words}, "request_id": request_id}


def refusal_words(refusal: Refusal) -> tuple[str, str]:
    match refusal.kind:
        case "rate_limit" | "quota":
            return "rate_limit_error", (
                "This request would exceed your organization's rate limit of 50,000 input tokens "
                "per minute."
            )
        case "overloaded":
            return "overloaded_error", "Overloaded"
        case "unauthorised":
            return "authentication_error", f"invalid x-api-key: {refusal.detail}"
        case "context":
            return "invalid_request_error", "prompt is too long: 214000 tokens > 200000 maximum"
        case "invalid":
            return "invalid_request_error", refusal.detail
        case _:
            return "api_error", "Internal server error"


def complaint(body: Body) -> str | None:
    return rules.complaint(rules.anthropic_messages, body)


def said(body: Body) -> list[Said]:
    system = blocks(body.get("system") or [])
    return [Said("system", block["text"]) for block in system] + [
        words
        for entry in body["messages"]
        for block in blocks(entry["content"])
        for words in said_by(entry["role"], block)
    ]


def blocks(content: Any) -> list[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def said_by(role: Any, block: Body) -> Iterator[Said]:
    match block["type"]:
        case "thinking":
            yield Said("thinking", block["thinking"], block["signature"].removeprefix("anthropic"))
        case "redacted_thinking":
            yield Said("thinking", "", block["data"].removeprefix("anthropic"))
        case "tool_use":
            yield Said("call", json.dumps(block["input"]), block["id"])
        case "tool_result":
            result = "".join(part["text"] for part in blocks(block.get("content") or []))
            yield Said("result", result, block["tool_use_id"])
        case "text":
            yield Said(role, block["text"])
