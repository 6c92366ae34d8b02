"""OpenAI's chat completions, read from their raw bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .facts import ResponseFacts, Said, call_text, events, pieces, sse, text_in
from .recordings import Body

provider_name = "openai-chat"
path = "/v1/chat/completions"

ENDS = {"stop": "stop", "tool_calls": "tool_call", "length": "length"}


def read(whole: Body) -> ResponseFacts:
    choice, usage = whole["choices"][0], whole["usage"]
    message = choice["message"]
    read_in = usage.get("prompt_tokens_details") or {}
    put_out = usage.get("completion_tokens_details") or {}
    return ResponseFacts(
        model=whole["model"],
        response_id=whole["id"],
        text=message["content"] or "",
        reasoning=message.get("reasoning_content"),
        calls=tuple(
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or []
        ),
        finish_reason=ENDS[choice["finish_reason"]],
        input=usage["prompt_tokens"],
        output=usage["completion_tokens"],
        cache_read=read_in.get("cached_tokens"),
        cache_write=None,
        long_cache_write=0,
        reasoning_tokens=put_out.get("reasoning_tokens"),
    )


def whole_of(stream: str) -> Body:
    chunks = events(stream)
    message: Body = {"role": "assistant", "content": None}
    calls: dict[int, Body] = {}
    finish = None
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        finish = choice["finish_reason"] or finish
        for field in ("content", "reasoning_content"):
            if choice["delta"].get(field):
                message[field] = (message.get(field) or "") + choice["delta"][field]
        for call in choice["delta"].get("tool_calls") or []:
            begun = calls.setdefault(call["index"], call)
            if begun is not call:
                begun["function"]["arguments"] += call["function"]["arguments"]
    if calls:
        message["tool_calls"] = list(calls.values())
    only = {"index": 0, "message": message, "finish_reason": finish}
    usage = next(chunk["usage"] for chunk in chunks if chunk.get("usage"))
    return chunks[0] | {"object": "chat.completion", "choices": [only], "usage": usage}


def stream_of(whole: Body) -> str:
    head = {key: whole[key] for key in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    choice = whole["choices"][0]
    chunks = [
        head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas(choice["message"])
    ]
    end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    chunks += [head | {"choices": [end]}, head | {"choices": [], "usage": whole["usage"]}]
    return "".join(sse(chunk) for chunk in chunks) + "data: [DONE]\n\n"


def deltas(message: Body) -> Iterator[Body]:
    yield {"role": "assistant", "content": ""}
    for field in ("reasoning_content", "content"):
        for piece in pieces(message.get(field) or ""):
            yield {field: piece}
    for index, call in enumerate(message.get("tool_calls") or []):
        named = {"name": call["function"]["name"], "arguments": ""}
        yield {"tool_calls": [call | {"index": index, "function": named}]}
        for piece in pieces(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def said(asked: Body) -> list[Said]:
    return [words for message in asked["messages"] for words in said_by(message)]


def said_by(message: Body) -> Iterator[Said]:
    role: Any = message["role"]
    if message.get("reasoning_content"):
        yield Said("thinking", message["reasoning_content"])
    if role == "tool":
        yield Said("result", text_in(message["content"]), message["tool_call_id"])
    elif message.get("content"):
        yield Said("system" if role == "developer" else role, text_in(message["content"]))
    for call in message.get("tool_calls") or []:
        function = call["function"]
        yield Said("call", call_text(function["name"], function["arguments"]), call["id"])


def tools(asked: Body) -> list[tuple[str, str, Body]]:
    functions = [tool["function"] for tool in asked.get("tools") or []]
    return [(each["name"], each.get("description", ""), each["parameters"]) for each in functions]


def settings(asked: Body) -> Body:
    return {}


def refused(body: Body) -> str:
    return str(body["error"]["message"])
