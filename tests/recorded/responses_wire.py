"""OpenAI's responses, read from their raw bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from .facts import ResponseFacts, Said, call_text, events, joined, pieces, sse, text_in
from .recordings import Body

provider_name = "openai-responses"
path = "/v1/responses"


def read(whole: Body) -> ResponseFacts:
    items, usage = whole["output"], whole["usage"]
    calls = tuple(
        (item["call_id"], item["name"], json.loads(item["arguments"]))
        for item in items
        if item["type"] == "function_call"
    )
    read_in, put_out = usage["input_tokens_details"], usage["output_tokens_details"]
    return ResponseFacts(
        model=whole["model"],
        response_id=whole["id"],
        text="".join(text_in(item["content"]) for item in items if item["type"] == "message"),
        reasoning=joined([text_in(i["summary"]) for i in items if i["type"] == "reasoning"]),
        calls=calls,
        finish_reason=ended(whole, has_calls=bool(calls)),
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cache_read=read_in.get("cached_tokens"),
        cache_write=read_in.get("cache_write_tokens"),
        long_cache_write=0,
        reasoning_tokens=put_out.get("reasoning_tokens"),
    )


def ended(whole: Body, *, has_calls: bool) -> str:
    """OpenAI says `completed` of a whole answer, and leaves it to the reader to see its calls."""
    if whole["status"] == "completed":
        return "tool_call" if has_calls else "stop"
    return {"max_output_tokens": "length"}[whole["incomplete_details"]["reason"]]


def whole_of(stream: str) -> Body:
    """The last event repeats the response, with its reasoning encrypted once more.

    What was streamed before has to agree with it.
    """
    sent = events(stream)
    items = [e["item"] for e in sent if e["type"] == "response.output_item.done"]
    whole: Body = sent[-1]["response"] | {"output": items}
    streamed = "".join(e["delta"] for e in sent if e["type"] == "response.output_text.delta")
    assert streamed == "".join(text_in(i["content"]) for i in items if i["type"] == "message")
    assert [item["id"] for item in sent[-1]["response"]["output"]] == [item["id"] for item in items]
    return whole


def stream_of(whole: Body) -> str:
    numbers = count()
    numbered = (event | {"sequence_number": next(numbers)} for event in stream_events(whole))
    return "".join(sse(event, name=event["type"]) for event in numbered)


def stream_events(whole: Body) -> Iterator[Body]:
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for index, item in enumerate(whole["output"]):
        at = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.added", "item": opened(item), "output_index": index}
        for event in item_events(item):
            yield event | at
        yield {"type": "response.output_item.done", "item": item, "output_index": index}
    ending = "completed" if whole["status"] == "completed" else "incomplete"
    yield {"type": f"response.{ending}", "response": whole}


def opened(item: Body) -> Body:
    """What an item begins as; its reasoning is encrypted again when more of it has come."""
    match item["type"]:
        case "reasoning":
            return item | {"summary": [], "encrypted_content": "not-the-last-of-it"}
        case "function_call":
            return item | {"status": "in_progress", "arguments": ""}
        case _:
            return item | {"status": "in_progress", "content": []}


def item_events(item: Body) -> Iterator[Body]:
    match item["type"]:
        case "reasoning":
            for number, part in enumerate(item["summary"]):
                yield from summary_events(number, part)
        case "function_call":
            kind = "response.function_call_arguments"
            for piece in pieces(item["arguments"]):
                yield {"type": f"{kind}.delta", "delta": piece}
            yield {"type": f"{kind}.done", "arguments": item["arguments"], "name": item["name"]}
        case _:
            part, at = item["content"][0], {"content_index": 0}
            empty = part | {"text": ""}
            yield {"type": "response.content_part.added", "part": empty, **at}
            for piece in pieces(part["text"]):
                kind = "response.output_text.delta"
                yield {"type": kind, "delta": piece, "logprobs": [], **at}
            yield {"type": "response.content_part.done", "part": part, **at}


def summary_events(number: int, part: Body) -> Iterator[Body]:
    kind, at = "response.reasoning_summary", {"summary_index": number}
    yield {"type": f"{kind}_part.added", "part": part | {"text": ""}, **at}
    for piece in pieces(part["text"]):
        yield {"type": f"{kind}_text.delta", "delta": piece, **at}
    yield {"type": f"{kind}_text.done", "text": part["text"], **at}
    yield {"type": f"{kind}_part.done", "part": part, **at}


def said(asked: Body) -> list[Said]:
    system = [Said("system", asked["instructions"])] if asked.get("instructions") else []
    return system + [words for item in asked["input"] for words in said_by(item)]


def said_by(item: Body) -> Iterator[Said]:
    kind: Any = item.get("type", "message")
    match kind:
        case "reasoning":
            yield Said("thinking", text_in(item["summary"]), signature=item["encrypted_content"])
        case "function_call":
            yield Said("call", call_text(item["name"], item["arguments"]), item["call_id"])
        case "function_call_output":
            yield Said("result", text_in(item["output"]), item["call_id"])
        case _:
            yield Said(item["role"], text_in(item["content"]))


def tools(asked: Body) -> list[tuple[str, str, Body]]:
    return [
        (tool["name"], tool.get("description", ""), tool["parameters"])
        for tool in asked.get("tools") or []
    ]


def settings(asked: Body) -> Body:
    chosen: Body = {"openai_store": asked["store"]} if "store" in asked else {}
    reasoning = asked.get("reasoning") or {}
    if "effort" in reasoning:
        chosen["openai_reasoning_effort"] = reasoning["effort"]
    if "summary" in reasoning:
        chosen["openai_reasoning_summary"] = reasoning["summary"]
    return chosen


def refused(body: Body) -> str:
    return str(body["error"]["message"])
