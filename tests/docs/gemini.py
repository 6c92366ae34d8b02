"""Gemini's streamGenerateContent, as far as an answer that goes well."""

from __future__ import annotations

import json

from providers.answers import Answer
from providers.wire import Body

PATH = "/v1beta/models/"


def frame(answer: Answer, path: str) -> bytes:
    """The whole answer as one server-sent event."""
    parts: list[Body] = [{"text": piece} for piece in answer.text]
    parts += [
        {"functionCall": {"name": call.name, "args": call.arguments}} for call in answer.calls
    ]
    data = {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17},
        "modelVersion": path.removeprefix(PATH).partition(":")[0],
        "responseId": "gemini-docs",
    }
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"


def is_answered(body: Body) -> bool:
    """Whether the last thing said is the result of a tool."""
    return any("functionResponse" in part for part in body["contents"][-1]["parts"])


def tools(body: Body) -> list[tuple[str, Body]]:
    return [
        (tool["name"], tool.get("parametersJsonSchema") or tool.get("parameters_json_schema") or {})
        for group in body.get("tools") or []
        for tool in group["functionDeclarations"]
    ]
