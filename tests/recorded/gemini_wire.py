"""Gemini's generateContent, read from its raw bodies."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from .facts import ResponseFacts, Said, call_text, events, joined, pieces, sse
from .recordings import Body

provider_name = "gemini"
path = "/v1beta/models/"


def read(whole: Body) -> ResponseFacts:
    candidate, usage = whole["candidates"][0], whole["usageMetadata"]
    parts = candidate["content"]["parts"]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    thoughts = usage.get("thoughtsTokenCount")
    return ResponseFacts(
        model=whole["modelVersion"],
        response_id=whole["responseId"],
        text="".join(part.get("text", "") for part in parts if not part.get("thought")),
        reasoning=joined([part["text"] for part in parts if part.get("thought")]),
        calls=tuple((call.get("id"), call["name"], call["args"]) for call in calls),
        finish_reason=ended(candidate["finishReason"], has_calls=bool(calls)),
        input=usage["promptTokenCount"],
        output=usage.get("candidatesTokenCount", 0) + (thoughts or 0),
        cache_read=usage.get("cachedContentTokenCount"),
        cache_write=None,
        long_cache_write=0,
        reasoning_tokens=thoughts,
    )


def ended(reason: str, *, has_calls: bool) -> str:
    """Gemini says `STOP` of a whole answer, and leaves it to the reader to see its calls."""
    mapped = {"STOP": "stop", "MAX_TOKENS": "length"}[reason]
    return "tool_call" if mapped == "stop" and has_calls else mapped


def whole_of(stream: str) -> Body:
    """Each chunk holds the next parts; usage counts up, and the last chunk has all of it."""
    chunks = events(stream)
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    last = chunks[-1]
    candidate = last["candidates"][0] | {"content": {"role": "model", "parts": merged(parts)}}
    return last | {"candidates": [candidate]}


def merged(parts: list[Body]) -> list[Body]:
    found: list[Body] = []
    for part in parts:
        if (
            found
            and is_text(found[-1])
            and is_text(part)
            and is_thought(found[-1]) == is_thought(part)
        ):
            found[-1] = found[-1] | part | {"text": found[-1]["text"] + part["text"]}
        else:
            found.append(part)
    return found


def is_text(part: Body) -> bool:
    return "text" in part


def is_thought(part: Body) -> bool:
    return bool(part.get("thought"))


def stream_of(whole: Body) -> str:
    candidate = whole["candidates"][0]
    parts = [piece for part in candidate["content"]["parts"] for piece in cut(part)]
    *early, last = parts
    begun = {
        key: value
        for key, value in candidate.items()
        if key not in ("finishReason", "finishMessage")
    }
    chunks = [
        whole | {"candidates": [begun | {"content": {"role": "model", "parts": [part]}}]}
        for part in early
    ]
    end = whole | {"candidates": [candidate | {"content": {"role": "model", "parts": [last]}}]}
    return "".join(sse(chunk) for chunk in [*chunks, end])


def cut(part: Body) -> list[Body]:
    """A text in pieces, of which the last has its signature."""
    if "text" not in part:
        return [part]
    thought = {"thought": True} if part.get("thought") else {}
    *early, last = pieces(part["text"])
    return [{"text": piece, **thought} for piece in early] + [part | {"text": last}]


def said(asked: Body) -> list[Said]:
    system = (asked.get("systemInstruction") or {}).get("parts") or []
    found = [Said("system", part["text"]) for part in system]
    calls = Calls()
    for content in asked["contents"]:
        for part in content["parts"]:
            found += said_by(content.get("role", "user"), part, calls)
    return found


class Calls:
    """The calls of a request by number: Gemini 2.5 gives them no ids, and clients make up their own."""

    def __init__(self) -> None:
        self._made: list[tuple[str | None, str]] = []
        self._answered: set[int] = set()

    def made(self, call: Body) -> str:
        self._made.append((call.get("id"), call["name"]))
        return f"call {len(self._made)}"

    def answered(self, response: Body) -> str:
        wanted = (response.get("id"), response["name"])
        open_ = (
            n for n, made in enumerate(self._made, 1) if made == wanted and n not in self._answered
        )
        number = next(open_)
        self._answered.add(number)
        return f"call {number}"


def said_by(role: str, part: Body, calls: Calls) -> Iterator[Said]:
    signature = decoded(part.get("thoughtSignature", ""))
    if "functionCall" in part:
        call = part["functionCall"]
        yield Said("call", call_text(call["name"], call["args"]), calls.made(call), signature)
    elif "functionResponse" in part:
        response = part["functionResponse"]
        yield Said("result", result_text(response["response"]), calls.answered(response))
    elif part.get("thought"):
        yield Said("thinking", part["text"], signature=signature)
    else:
        yield Said("assistant" if role == "model" else "user", part["text"], signature=signature)


def result_text(response: Body) -> str:
    """A result stands in an object, under a key of the client's own choice."""
    if "content" in response:
        return "".join(part["text"] for part in response["content"])
    (text,) = response.values()
    return text if isinstance(text, str) else json.dumps(text)


def decoded(signature: str) -> str:
    """Signatures are bytes: there are two ways of writing them in base64."""
    return base64.urlsafe_b64decode(signature.replace("+", "-").replace("/", "_")).hex()


def tools(asked: Body) -> list[tuple[str, str, Body]]:
    declared = [
        tool for group in asked.get("tools") or [] for tool in group["functionDeclarations"]
    ]
    return [
        (tool["name"], tool["description"], lower_types(tool["parameters"])) for tool in declared
    ]


def lower_types(schema: Body) -> Body:
    """Gemini's own schemas name their types in capitals."""
    properties = {name: lower_types(each) for name, each in schema.get("properties", {}).items()}
    inner = {"properties": properties} if "properties" in schema else {}
    return schema | {"type": schema["type"].lower()} | inner


def settings(asked: Body) -> Body:
    thinking = (asked.get("generationConfig") or {}).get("thinkingConfig")
    return {"google_thinking_config": {"include_thoughts": True}} if thinking else {}


def refused(body: Body) -> str:
    return str(body["error"]["message"])
