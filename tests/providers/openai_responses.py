"""OpenAI's responses API."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import openai_errors, rules
from .answers import Answer, Call, Refusal, Spent, retry_headers
from .wire import Body, Frame, Said, event, raw_event

path = "/v1/responses"
request_id_header = "x-request-id"
refusal_headers = retry_headers


def told_by(path: str) -> Body:
    """A job in the background is read on, or cancelled, by its path."""
    url = urlsplit(path)
    job = url.path.removeprefix("/v1/responses").strip("/")
    if not job:
        return {}
    query = dict(parse_qsl(url.query))
    told: Body = {"model": "gpt-5", "background": True, "input": "Hi", "job": job}
    if job.endswith("/cancel"):
        return told | {"cancels": True}
    after = int(query.get("starting_after", -1))
    return told | {"stream": query.get("stream") == "true", "starting_after": after}


def frames(answer: Answer, body: Body, response_id: str) -> Iterator[Frame]:
    numbers = count(body.get("starting_after", -1) + 1)
    response_id = body.get("job", response_id).removeprefix("resp_")
    for data in events(answer, body, response_id):
        piece = data["type"].endswith(".delta")
        yield event(data | {"sequence_number": next(numbers)}, name=data["type"], piece=piece)


def events(answer: Answer, body: Body, response_id: str) -> Iterator[Body]:
    begun = response(body, response_id, "in_progress", [])
    if "job" not in body:
        yield {"type": "response.created", "response": begun}
        yield {"type": "response.in_progress", "response": begun}
    index = count()
    if answer.reasoning:
        yield from reasoning_events(answer, reasoning_item(answer, response_id), next(index))
    if answer.refusal:
        yield from refusal_events(answer, f"msg_{response_id}", next(index))
    if answer.text:
        yield from text_events(answer, f"msg_{response_id}", next(index))
    for call in answer.calls:
        yield from call_events(answer, call, f"fc_{response_id}_{call.id}", next(index))
    if answer.is_whole and answer.marked and not answer.paused:
        ending = "response.incomplete" if answer.full else "response.completed"
        yield {"type": ending, "response": whole(answer, body, response_id)}


def reasoning_events(answer: Answer, item: Body, index: int) -> Iterator[Body]:
    at: Body = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    part = summary_of(answer)
    yield added(item | {"summary": [], "encrypted_content": None}, index)
    if answer.hides_reasoning:
        yield done(item, index)
        return
    yield {"type": "response.reasoning_summary_part.added", **at, "part": part | {"text": ""}}
    for piece in answer.reasoning:
        yield {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}
    if answer.reasoning_is_closed:
        yield {"type": "response.reasoning_summary_text.done", **at, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **at, "part": part}
        yield done(item, index)


def text_events(answer: Answer, item_id: str, index: int) -> Iterator[Body]:
    at: Body = {"item_id": item_id, "output_index": index, "content_index": 0}
    item = message_item(answer, item_id)
    part = item["content"][0]
    if not answer.goes_on:
        yield added(item | {"status": "in_progress", "content": []}, index)
        yield {"type": "response.content_part.added", **at, "part": part | {"text": ""}}
    for piece in answer.text:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    if answer.text_is_closed and not answer.paused:
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": part}
        yield done(item, index)


def refusal_events(answer: Answer, item_id: str, index: int) -> Iterator[Body]:
    at: Body = {"item_id": item_id, "output_index": index, "content_index": 0}
    item = refusal_item(answer, item_id)
    yield added(item | {"status": "in_progress", "content": []}, index)
    yield {"type": "response.content_part.added", **at, "part": refused("")}
    for piece in answer.refusal:
        yield {"type": "response.refusal.delta", **at, "delta": piece}
    yield {"type": "response.refusal.done", **at, "refusal": "".join(answer.refusal)}
    yield {"type": "response.content_part.done", **at, "part": item["content"][0]}
    yield done(item, index)


def refusal_item(answer: Answer, item_id: str) -> Body:
    return message_item(answer, item_id) | {"content": [refused("".join(answer.refusal))]}


def refused(words: str) -> Body:
    return {"type": "refusal", "refusal": words}


def call_events(answer: Answer, call: Call, item_id: str, index: int) -> Iterator[Body]:
    at: Body = {"item_id": item_id, "output_index": index}
    item = call_item(call, item_id)
    yield added(item | {"status": "in_progress", "arguments": ""}, index)
    first, second = answer.arguments_of(call)
    yield {"type": "response.function_call_arguments.delta", **at, "delta": first}
    if not answer.cuts(call):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": second}
        yield {"type": "response.function_call_arguments.done", **at, "arguments": call.json}
        yield done(item, index)


def added(item: Body, index: int) -> Body:
    return {"type": "response.output_item.added", "item": item, "output_index": index}


def done(item: Body, index: int) -> Body:
    return {"type": "response.output_item.done", "item": item, "output_index": index}


def reasoning_item(answer: Answer, response_id: str) -> Body:
    return {
        "id": f"rs_{response_id}",
        "type": "reasoning",
        "content": [],
        "encrypted_content": answer.signed_by("openai"),
        "summary": [] if answer.hides_reasoning else [summary_of(answer)],
    }


def summary_of(answer: Answer) -> Body:
    return {"type": "summary_text", "text": "".join(answer.reasoning)}


def message_item(answer: Answer, item_id: str) -> Body:
    text = {"type": "output_text", "annotations": [], "logprobs": [], "text": "".join(answer.text)}
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "content": [text],
        "role": "assistant",
    }


def call_item(call: Call, item_id: str) -> Body:
    return {
        "id": item_id,
        "type": "function_call",
        "status": "completed",
        "arguments": call.json,
        "call_id": call.id,
        "name": call.name,
    }


def whole(answer: Answer, body: Body, response_id: str) -> Body:
    response_id = body.get("job", response_id).removeprefix("resp_")
    if answer.paused and not answer.text:
        return response(body, response_id, "queued", [])
    output = []
    if answer.reasoning:
        output.append(reasoning_item(answer, response_id))
    if answer.refusal:
        output.append(refusal_item(answer, f"msg_{response_id}"))
    if answer.text:
        output.append(message_item(answer, f"msg_{response_id}"))
    output += [call_item(call, f"fc_{response_id}_{call.id}") for call in answer.calls]
    if answer.full:
        ended = response(body, response_id, "incomplete", output, usage(answer.spent))
        return ended | {"incomplete_details": {"reason": "max_output_tokens"}}
    status = None if answer.unexplained else "completed"
    return response(body, response_id, status, output, usage(answer.spent))


def response(
    body: Body,
    response_id: str,
    status: str | None,
    output: list[Body],
    counted: Body | None = None,
) -> Body:
    return {
        "id": f"resp_{response_id}",
        "object": "response",
        "created_at": 1787150260,
        "status": status,
        "background": body.get("background", False),
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": counted,
        "metadata": {},
    }


def usage(spent: Spent | None) -> Body | None:
    if spent is None:
        return None
    counted: Body = {
        "input_tokens": spent.input,
        "output_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
    }
    if spent.cache_read is not None:
        counted["input_tokens_details"] = {"cached_tokens": spent.cache_read}
    if spent.reasoning is not None:
        counted["output_tokens_details"] = {"reasoning_tokens": spent.reasoning}
    return counted | spent.also


def malformed() -> Frame:
    return raw_event(
        '{"type":"response.output_text.delta","content_index":0,"del',
        name="response.output_text.delta",
    )


def overloaded() -> Frame:
    failed = {"id": "resp_failed", "object": "response", "status": "failed", "output": []}
    error = {"code": "server_error", "message": "The server is currently overloaded."}
    data = {"type": "response.failed", "sequence_number": 99, "response": failed | {"error": error}}
    return event(data, name="response.failed")


def refusal(refusal: Refusal, request_id: str | None) -> Body:
    return openai_errors.refusal(refusal, "input")


def complaint(body: Body) -> str | None:
    return rules.complaint(rules.openai_responses, body)


def said(body: Body) -> list[Said]:
    instructions = body.get("instructions")
    first = [Said("system", instructions)] if instructions else []
    return first + [words for item in items(body) for words in said_by(item)]


def items(body: Body) -> list[Body]:
    given = body["input"]
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def said_by(item: Body) -> Iterator[Said]:
    match item.get("type", "message"):
        case "reasoning":
            thinking = "".join(part["text"] for part in item["summary"])
            signature = item.get("encrypted_content") or ""
            yield Said("thinking", thinking, signature.removeprefix("openai"))
        case "function_call":
            yield Said("call", item["arguments"], item["call_id"])
        case "function_call_output":
            yield Said("result", plain(item["output"]), item["call_id"])
        case _:
            role = item["role"]
            yield Said("system" if role == "developer" else role, plain(item["content"]))


def plain(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return str(content)
