"""OpenAI's chat completions, the protocol most providers copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import openai_errors, rules
from .answers import Answer, Refusal, Spent, retry_headers
from .wire import Body, Frame, Said, event, nothing_told_by, raw_event

path = "/v1/chat/completions"
request_id_header = "x-request-id"
told_by = nothing_told_by
refusal_headers = retry_headers


def frames(answer: Answer, body: Body, response_id: str) -> Iterator[Frame]:
    wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
    told: Body = {"service_tier": answer.tier} | ({"usage": None} if wants_usage else {})
    if answer.counts_as_it_goes and answer.spent:
        told["usage"] = usage(answer.spent)
    for delta in deltas(answer):
        only = choice(answer, delta)
        yield chunk(body, response_id, [only], told, piece="role" not in delta)
    if not answer.is_whole:
        return
    last = choice(answer, {}, finish_reason(answer))
    if answer.counts_in_choice and answer.spent:
        last["usage"] = usage(answer.spent)
    yield chunk(body, response_id, [last], told)
    if wants_usage and answer.spent and not answer.counts_in_choice:
        yield chunk(body, response_id, [], told | {"usage": usage(answer.spent)})
    if answer.marked:
        yield Frame(b"data: [DONE]") if answer.unended else raw_event("[DONE]")


def deltas(answer: Answer) -> Iterator[Body]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for piece in answer.reasoning:
        yield {"reasoning_content": piece}
    for piece in answer.refusal:
        yield {"refusal": piece}
    for piece in answer.text:
        yield {"content": piece}
    for index, call in enumerate(answer.calls):
        first, second = answer.arguments_of(call)
        named = {"name": call.name, "arguments": ""}
        yield tool_call(index, {"id": call.id, "type": "function", "function": named})
        yield tool_call(index, {"function": {"arguments": first}})
        if second:
            yield tool_call(index, {"function": {"arguments": second}})


def tool_call(index: int, delta: Body) -> Body:
    return {"tool_calls": [{"index": index, **delta}]}


def choice(answer: Answer, delta: Body, finish: str | None = None) -> Body:
    told: Body = {"index": 0, "delta": delta, "logprobs": None}
    return told if answer.unnamed else told | {"finish_reason": finish}


def head(body: Body, response_id: str) -> Body:
    return {
        "id": f"chatcmpl-{response_id}",
        "object": "chat.completion.chunk",
        "created": 1787150260,
        "model": body["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_50906f2aac",
    } | ({"provider": "OpenAI"} if "/" in body["model"] else {})  # OpenRouter says who answered


def chunk(
    body: Body, response_id: str, choices: list[Body], told: Body, *, piece: bool = False
) -> Frame:
    return event(head(body, response_id) | {"choices": choices} | told, piece=piece)


def finish_reason(answer: Answer) -> str | None:
    if answer.unexplained:
        return answer.reason
    if answer.reason or answer.full:
        return answer.reason or "length"
    return "tool_calls" if answer.calls else "stop"


def usage(spent: Spent) -> Body:
    counted: Body = {
        "prompt_tokens": spent.input,
        "completion_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
    }
    if spent.cache_read is not None:
        counted["prompt_tokens_details"] = {"cached_tokens": spent.cache_read, "audio_tokens": 0}
    if spent.reasoning is not None:
        counted["completion_tokens_details"] = {
            "reasoning_tokens": spent.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        }
    return counted | spent.also


def whole(answer: Answer, body: Body, response_id: str) -> Body:
    message: Body = {
        "role": "assistant",
        "content": "".join(answer.text) or None,
        "refusal": "".join(answer.refusal) or None,
    }
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.json},
            }
            for call in answer.calls
        ]
    only = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_reason(answer),
    }
    counted = {"usage": usage(answer.spent)} if answer.spent else {}
    completion = {"object": "chat.completion", "choices": [only]}
    return head(body, response_id) | completion | counted


def malformed() -> Frame:
    return raw_event(
        '{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"del'
    )


def overloaded() -> Frame:
    return event(openai_errors.body("The server is currently overloaded.", "server_error"))


def refusal(refusal: Refusal, request_id: str | None) -> Body:
    return openai_errors.refusal(refusal, "messages")


def complaint(body: Body) -> str | None:
    return rules.complaint(rules.openai_chat, body)


def said(body: Body) -> list[Said]:
    return [words for message in body["messages"] for words in said_by(message)]


def said_by(message: Body) -> Iterator[Said]:
    role, text = message["role"], plain(message.get("content"))
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if thinking:
        yield Said("thinking", thinking)
    if role == "tool":
        yield Said("result", text, message["tool_call_id"])
    elif text:
        yield Said("system" if role == "developer" else role, text)
    for call in message.get("tool_calls") or ():
        yield Said("call", call["function"]["arguments"], call["id"])


def plain(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""
