"""Anthropic's messages, read from their raw bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .facts import ResponseFacts, Said, call_text, events, joined, pieces, sse
from .recordings import Body

provider_name = "anthropic"
path = "/v1/messages"

ENDS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
    "max_tokens": "length",
}
DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def read(whole: Body) -> ResponseFacts:
    blocks, usage = whole["content"], whole["usage"]
    read_, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    return ResponseFacts(
        model=whole["model"],
        response_id=whole["id"],
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        reasoning=joined([block["thinking"] for block in blocks if block["type"] == "thinking"]),
        calls=tuple(
            (block["id"], block["name"], block["input"])
            for block in blocks
            if block["type"] == "tool_use"
        ),
        finish_reason=ENDS[whole["stop_reason"]],
        input=usage["input_tokens"] + (read_ or 0) + (written or 0),
        output=usage["output_tokens"],
        cache_read=read_,
        cache_write=written,
        long_cache_write=(usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens", 0),
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    )


def whole_of(stream: str) -> Body:
    message: Body = {}
    for event in events(stream):
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"] | {"json": ""})
            case "content_block_delta":
                grow(message["content"][event["index"]], event["delta"])
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
    return message | {"content": [closed(block) for block in message["content"]]}


def grow(block: Body, delta: Body) -> None:
    if delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
        return
    field = DELTAS[delta["type"]]
    block[field] = block.get(field, "") + delta[field]


def closed(block: Body) -> Body:
    written = block.pop("json")
    return block | ({"input": json.loads(written or "{}")} if block["type"] == "tool_use" else {})


def stream_of(whole: Body) -> str:
    return "".join(sse(event, name=event["type"]) for event in stream_events(whole))


def stream_events(whole: Body) -> Iterator[Body]:
    usage = whole["usage"]
    begun = {key: count for key, count in usage.items() if key != "output_tokens_details"}
    nothing_yet = {"content": [], "stop_reason": None, "usage": begun | {"output_tokens": 1}}
    yield {"type": "message_start", "message": whole | nothing_yet}
    for index, block in enumerate(whole["content"]):
        start, deltas = opened(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": whole.get("stop_sequence")}
    counted = {key: count for key, count in usage.items() if key in CUMULATIVE}
    yield {"type": "message_delta", "delta": end, "usage": counted}
    yield {"type": "message_stop"}


CUMULATIVE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)


def opened(block: Body) -> tuple[Body, list[Body]]:
    match block["type"]:
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(block["thinking"])]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return block | {"thinking": "", "signature": ""}, [*deltas, signature]
        case "tool_use":
            given = pieces(json.dumps(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in given]
            return block | {"input": {}}, deltas
        case _:
            deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            return block | {"text": ""}, deltas


def said(asked: Body) -> list[Said]:
    system = [Said("system", block["text"]) for block in blocks(asked.get("system") or [])]
    return system + [
        words
        for message in asked["messages"]
        for block in blocks(message["content"])
        for words in said_by(message["role"], block)
    ]


def said_by(role: Any, block: Body) -> Iterator[Said]:
    match block["type"]:
        case "thinking":
            yield Said("thinking", block["thinking"], signature=block["signature"])
        case "tool_use":
            yield Said("call", call_text(block["name"], block["input"]), block["id"])
        case "tool_result":
            text = "".join(part["text"] for part in blocks(block["content"]))
            yield Said("result", text, block["tool_use_id"])
        case "text":
            yield Said(role, block["text"])


def blocks(content: Any) -> list[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def tools(asked: Body) -> list[tuple[str, str, Body]]:
    return [
        (tool["name"], tool.get("description", ""), tool["input_schema"])
        for tool in asked.get("tools") or []
    ]


def settings(asked: Body) -> Body:
    chosen: Body = {"max_tokens": asked["max_tokens"]}
    return chosen | ({"anthropic_thinking": asked["thinking"]} if "thinking" in asked else {})


def refused(body: Body) -> str:
    return str(body["error"]["message"])
