"""The keys that each provider knows: it answers 400 to any other."""

from __future__ import annotations

from .wire import Body

CHAT_MESSAGE = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "tool": {"role", "content", "tool_call_id"},
    # The last one is what DeepSeek and others add.
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "reasoning_content"},
}
CHAT_PART = {
    "text": {"type", "text"},
    "refusal": {"type", "refusal"},
    "image_url": {"type", "image_url"},
    "input_audio": {"type", "input_audio"},
    "file": {"type", "file"},
}
CHAT_CALL = {"id", "type", "function"}
CHAT_FUNCTION = {"name", "arguments"}

RESPONSES_ITEM = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "reasoning": {"type", "id", "summary", "encrypted_content", "content", "status"},
    "function_call": {"type", "id", "call_id", "name", "arguments", "status"},
    "function_call_output": {"type", "id", "call_id", "output", "status"},
    "web_search_call": {"type", "id", "action", "status"},
}
RESPONSES_PART = {
    "input_text": {"type", "text"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
    "input_image": {"type", "image_url", "file_id", "detail"},
    "input_file": {"type", "file_data", "file_id", "file_url", "filename"},
    "summary_text": {"type", "text"},
}
RESPONSES_IDS = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "web_search_call": "ws_",
}
"""What the ids of OpenAI's items begin with: it refuses others."""

ANTHROPIC_BLOCK = {
    "text": {"type", "text", "citations"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error"},
    "server_tool_use": {"type", "id", "name", "input", "caller"},
    "web_search_tool_result": {"type", "tool_use_id", "content", "caller"},
    "image": {"type", "source"},
    "document": {"type", "source", "title", "context", "citations"},
}

GEMINI_PART = {
    "text",
    "thought",
    "thoughtSignature",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "mediaResolution",
    "videoMetadata",
}
GEMINI_CALL = {"id", "name", "args"}
GEMINI_RESPONSE = {"id", "name", "response", "parts"}


class Broken(Exception):
    """A request breaks a rule of its provider."""


def require(kept: object, words: str) -> None:
    if not kept:
        raise Broken(words)


def require_keys(value: Body, known: set[str] | None, place: str) -> None:
    others = {str(value.get("type"))} if known is None else set(value) - known
    require(not others, f"Unknown parameter: {sorted(others)} at '{place}'.")


def chat_keys(message: Body, place: str) -> None:
    require_keys(message, CHAT_MESSAGE.get(message["role"]), place)
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        require_keys(part, CHAT_PART.get(part["type"]), f"{place}.content")
    for call in message.get("tool_calls") or []:
        require_keys(call, CHAT_CALL, f"{place}.tool_calls")
        require_keys(call.get("function", {}), CHAT_FUNCTION, f"{place}.tool_calls.function")


def kind_of(item: Body) -> str:
    return str(item.get("type", "message"))


def responses_keys(item: Body, place: str) -> None:
    kind = kind_of(item)
    require_keys(item, RESPONSES_ITEM.get(kind), place)
    begins, item_id = RESPONSES_IDS.get(kind, ""), item.get("id")
    require(
        item_id is None or item_id.startswith(begins),
        f"Invalid '{place}.id': '{item_id}'. Expected an ID that begins with '{begins}'.",
    )
    for name in ("content", "summary", "output"):
        parts = item.get(name)
        for part in parts if isinstance(parts, list) else []:
            require_keys(part, RESPONSES_PART.get(part["type"]), f"{place}.{name}")


def gemini_keys(part: Body, place: str) -> None:
    require_keys(part, GEMINI_PART, place)
    if "functionCall" in part:
        require_keys(part["functionCall"], GEMINI_CALL, f"{place}.functionCall")
    if "functionResponse" in part:
        require_keys(part["functionResponse"], GEMINI_RESPONSE, f"{place}.functionResponse")
