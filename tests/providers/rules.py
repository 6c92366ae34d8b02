"""The shape rules by which each provider answers 400, in the words it uses."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from .answers import sign
from .keys import (
    ANTHROPIC_BLOCK,
    Broken,
    chat_keys,
    gemini_keys,
    kind_of,
    require,
    require_keys,
    responses_keys,
)
from .wire import Body


def complaint(rules: Callable[[Body], None], body: Body) -> str | None:
    """The first broken rule, `None` where all are kept."""
    try:
        rules(body)
    except Broken as broken:
        return str(broken)
    return None


def openai_chat(body: Body) -> None:
    """Every call is answered once, before anybody else speaks; nothing is empty."""
    messages = body["messages"]
    require(messages, "[] is too short - 'messages'")
    waiting: list[str] = []
    for at, message in enumerate(messages):
        role = message["role"]
        chat_keys(message, f"messages[{at}]")
        if role == "tool":
            require(
                message["tool_call_id"] in waiting,
                "messages with role 'tool' must be a response to a preceeding message with "
                "'tool_calls'.",
            )
            waiting.remove(message["tool_call_id"])
            continue
        require(not waiting, calls_without_result(waiting))
        require(
            role in ("system", "developer", "user", "assistant"),
            f"Invalid value: '{role}' at 'messages[{at}].role'.",
        )
        calls = message.get("tool_calls") or []
        require(
            has_words(message.get("content")) or calls, f"Invalid 'messages[{at}].content': empty."
        )
        waiting = [call["id"] for call in calls]
        require(len(set(waiting)) == len(waiting), f"Duplicate tool call ids at messages[{at}].")
        for place, call_id in enumerate(waiting):
            name = f"'messages[{at}].tool_calls[{place}].id'"
            require(len(call_id) <= 40, f"Invalid {name}: string too long.")
    require(not waiting, calls_without_result(waiting))


def calls_without_result(call_ids: list[str]) -> str:
    return (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        f"{call_ids}"
    )


def has_words(content: Any) -> bool:
    """Whether there is content, and every text part of it has text."""
    if isinstance(content, list):
        return bool(content) and all(part.get("text", True) for part in content)
    return bool(content)


def openai_responses(body: Body) -> None:
    """Calls and outputs pair up, reasoning is followed by what it led to, nothing is empty."""
    given = body["input"]
    require(given, "Missing required parameter: 'input'.")
    items = [] if isinstance(given, str) else given
    responses_ids(items)
    responses_calls(items)
    for at, item in enumerate(items):
        responses_keys(item, f"input[{at}]")
        if kind_of(item) == "reasoning":
            responses_reasoning(item, items[at + 1 :])
        if kind_of(item) == "message":
            require(has_words(item["content"]), f"Invalid 'input[{at}].content': empty.")


def responses_ids(items: list[Body]) -> None:
    ids = [item["id"] for item in items if item.get("id")]
    for item_id in ids:
        require(ids.count(item_id) == 1, f"Duplicate item found with id {item_id}.")


def responses_calls(items: list[Body]) -> None:
    """Every call has one output after it, and every output a call before it."""
    seen: list[str] = []
    waiting: list[str] = []
    for item in items:
        if kind_of(item) == "function_call":
            require(item["call_id"] not in seen, f"Duplicate call_id {item['call_id']}.")
            require(len(item["call_id"]) <= 64, f"Invalid call_id {item['call_id']}: too long.")
            seen.append(item["call_id"])
            waiting.append(item["call_id"])
        if kind_of(item) == "function_call_output":
            require(
                item["call_id"] in waiting,
                f"No tool call found for function call output with call_id {item['call_id']}.",
            )
            waiting.remove(item["call_id"])
    require(not waiting, f"No tool output found for function call {', '.join(waiting)}.")


def responses_reasoning(item: Body, rest: list[Body]) -> None:
    name = f"Item '{item['id']}' of type 'reasoning'"
    require(leads_on(rest), f"{name} was provided without its required following item.")
    require(is_signed(item), f"The encrypted content for item {item['id']} could not be verified.")


def leads_on(rest: list[Body]) -> bool:
    """Whether reasoning is followed by more of the same answer."""
    following = rest[0] if rest else {"role": "user"}
    return (
        following.get("type") in ("reasoning", "function_call")
        or following.get("role") == "assistant"
    )


def is_signed(item: Body) -> bool:
    """Whether encrypted reasoning comes back with the summary it was given for."""
    summary = "".join(part["text"] for part in item["summary"])
    return item.get("encrypted_content") == sign(summary, by="openai")


def anthropic_messages(body: Body) -> None:
    """Each tool_use is answered in the next turn; thinking is signed; nothing is empty.

    Messages of one role that follow each other are one turn to this provider.
    """
    require(body.get("max_tokens"), "max_tokens: Field required")
    for block in blocks(body.get("system") or []):
        require(block["text"], "system: text content blocks must be non-empty")
    turns = anthropic_turns(body["messages"])
    require(turns and turns[0][0] == "user", 'messages: first message must use the "user" role')
    used: list[str] = []
    waiting: list[str] = []
    for at, (role, content) in enumerate(turns):
        for place, block in enumerate(content):
            anthropic_block(block, role, f"messages.{at}.content.{place}")
        if role == "user":
            answered = anthropic_results(content, waiting, at)
            require(sorted(answered) == sorted(waiting), without_results(at, waiting))
        else:
            waiting = [block["id"] for block in content if block["type"] == "tool_use"]
            used += waiting
            require(
                content[-1]["type"] not in ("thinking", "redacted_thinking"),
                f"messages.{at}: The final block in an assistant message cannot be `thinking`",
            )
    searching = anthropic_searches(turns)
    require(turns[-1][0] == "user" or searching, without_results(len(turns), waiting))
    require(len(set(used)) == len(used), "messages: `tool_use` ids must be unique")
    anthropic_open_round(body, turns)


def anthropic_turns(messages: list[Body]) -> list[tuple[str, list[Body]]]:
    turns: list[tuple[str, list[Body]]] = []
    for at, message in enumerate(messages):
        role, content = message["role"], blocks(message["content"])
        require_keys(message, {"role", "content"}, f"messages.{at}")
        require(
            role in ("user", "assistant"),
            f"messages.{at}.role: Input should be 'user' or 'assistant'",
        )
        require(content, f"messages.{at}: all messages must have non-empty content")
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(content)
        else:
            turns.append((role, list(content)))
    return turns


def anthropic_block(block: Body, role: str, place: str) -> None:
    require_keys(block, ANTHROPIC_BLOCK.get(block["type"]), place)
    match block["type"]:
        case "text":
            require(block["text"].strip(), f"{place}: text content blocks must be non-empty")
        case "thinking":
            require(role == "assistant", f"{place}: unexpected `thinking` block")
            require(block.get("signature"), f"{place}.thinking.signature: Field required")
            require(
                block["signature"] == sign(block["thinking"], by="anthropic"),
                f"{place}: Invalid `signature` in `thinking` block",
            )
        case "redacted_thinking":
            require(
                block["data"] == sign("", by="anthropic"),
                f"{place}: Invalid `data` in `redacted_thinking`",
            )
        case "tool_use":
            require(role == "assistant", f"{place}: unexpected `tool_use` block")
            require(
                re.fullmatch("[a-zA-Z0-9_-]+", block["id"]),
                f"{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
            )
            require(
                isinstance(block["input"], dict),
                f"{place}.tool_use.input: Input should be a valid dictionary",
            )
        case "tool_result":
            require(role == "user", f"{place}: unexpected `tool_result` block")


def anthropic_results(content: list[Body], waiting: list[str], at: int) -> list[str]:
    """The calls a user message answers; results stand before everything else."""
    kinds = [block["type"] == "tool_result" for block in content]
    require(
        kinds == sorted(kinds, reverse=True),
        f"messages.{at}: `tool_result` blocks must come first in the content",
    )
    answered = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    for call_id in answered:
        require(
            call_id in waiting,
            f"messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}.",
        )
        require(
            answered.count(call_id) == 1,
            f"messages.{at}: each tool_use must have a single result. Found several for {call_id}",
        )
    return answered


def without_results(at: int, waiting: list[str]) -> str:
    return (
        f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(waiting)}."
    )


def anthropic_searches(turns: list[tuple[str, list[Body]]]) -> list[str]:
    """The provider's own searches without a result: only a paused answer at the end has any."""
    used: list[str] = []
    found: list[str] = []
    open_ones: list[str] = []
    for at, (_, content) in enumerate(turns):
        used += [block["id"] for block in content if block["type"] == "server_tool_use"]
        found += [b["tool_use_id"] for b in content if b["type"] == "web_search_tool_result"]
        open_ones = [search for search in used if search not in found]
        require(
            not open_ones or at == len(turns) - 1,
            f"messages.{at}: `web_search` tool use with id `{open_ones[:1]}` was found without a "
            "corresponding `web_search_tool_result` block",
        )
    for name, ids in (("server_tool_use", used), ("web_search_tool_result", found)):
        require(len(set(ids)) == len(ids), f"messages: `{name}` ids must be unique")
    require(set(found) <= set(used), "unexpected `tool_use_id` found in `web_search_tool_result`")
    return open_ones


def anthropic_open_round(body: Body, turns: list[tuple[str, list[Body]]]) -> None:
    """With thinking on, the turn whose calls are being answered begins with its thinking."""
    thinking = (body.get("thinking") or {}).get("type", "disabled")
    if thinking == "disabled" or turns[-1][1][0]["type"] != "tool_result":
        return
    first = turns[-2][1][0]["type"]
    require(
        first in ("thinking", "redacted_thinking"),
        f"Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is "
        "enabled, a final `assistant` message must start with a thinking block.",
    )


def gemini_content(body: Body) -> None:
    """Calls are signed and answered in the next turn, one by one; nothing is empty.

    Contents of one role that follow each other are one turn to this provider.
    """
    turns = gemini_turns(body["contents"])
    require(turns and turns[0][0] == "user", "Please ensure that the first content is a user's.")
    require(turns[-1][0] == "user", "Please ensure that requests end with a user role.")
    waiting: list[tuple[str, str]] = []
    for role, parts in turns:
        answered = [gemini_name(p["functionResponse"]) for p in parts if "functionResponse" in p]
        require(
            sorted(answered) == sorted(waiting),
            "Please ensure that the number of function response parts is equal to the number of "
            "function call parts of the function call turn.",
        )
        calls = [part for part in parts if "functionCall" in part]
        waiting = [gemini_name(part["functionCall"]) for part in calls]
        require(role == "model" or not calls, "Function calls are the model's.")
        require(
            not calls or calls[0].get("thoughtSignature"),
            "Function call is missing a thought_signature in functionCall parts.",
        )
        gemini_signatures(parts)


def gemini_turns(contents: list[Body]) -> list[tuple[str, list[Body]]]:
    require(contents, "GenerateContentRequest.contents: contents is not specified")
    turns: list[tuple[str, list[Body]]] = []
    for at, content in enumerate(contents):
        role, parts = content.get("role", "user"), content.get("parts")
        require(role in ("user", "model"), "Please use a valid role: user, model.")
        require(parts, f"GenerateContentRequest.contents[{at}].parts: contents.parts is empty")
        require_keys(content, {"role", "parts"}, f"contents[{at}]")
        for part in parts:
            gemini_keys(part, f"contents[{at}].parts")
            require(part.get("text") != "", f"contents[{at}]: it has an empty text parameter")
            require(set(part) & GEMINI_DATA, f"contents[{at}].parts: required oneof field 'data'")
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(parts)
        else:
            turns.append((role, list(parts)))
    return turns


GEMINI_DATA = {"text", "inlineData", "fileData", "functionCall", "functionResponse"}


def gemini_name(part: Body) -> tuple[str, str]:
    return part.get("id", ""), part["name"]


def gemini_signatures(parts: list[Body]) -> None:
    """A signature comes back on the part it was given with, after the thoughts it stands for.

    The thoughts themselves, which are a summary for people, may be left out.
    """
    thoughts = ""
    for part in parts:
        signature = gemini_signature(part)
        if part.get("thought"):
            thoughts += part["text"]
            require(not signature, "Thought signature is not valid: it stands on a thought.")
        else:
            whole = signature in ("", GEMINI_STAND_IN, sign(thoughts, by="google"))
            alone = not thoughts and re.fullmatch("googleSig[0-9a-f]{64}", signature)
            require(whole or alone, "Thought signature is not valid.")


def gemini_signature(part: Body) -> str:
    """What a part is signed with; signatures are bytes, which are written in two ways."""
    written = part.get("thoughtSignature", "").replace("+", "-").replace("/", "_")
    return urlsafe_b64decode(written).decode()


GEMINI_STAND_IN = "skip_thought_signature_validator"
"""What Google has clients sign a call with that Gemini has not signed itself."""


def blocks(content: Any) -> list[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
