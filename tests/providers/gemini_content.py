"""Gemini's generateContent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator

from . import rules
from .answers import Answer, Call, Refusal, Spent
from .wire import Body, Frame, Said, event, raw_event

path = "/v1beta/models/"
request_id_header = None


def told_by(path: str) -> Body:
    """The path, not the body, names the model and says whether to stream."""
    model, _, method = path.partition("?")[0].rpartition("/")[2].partition(":")
    return {"model": model, "stream": method.startswith("stream")}


def frames(answer: Answer, body: Body, response_id: str) -> Iterator[Frame]:
    for part in parts(answer):
        yield event(chunk(answer, body, response_id, part), piece=True)
    if answer.refusal:
        yield event(blocked(answer, body, response_id))
    elif answer.is_whole:
        yield event(whole_of(body, response_id, [{"text": ""}], answer))


def parts(answer: Answer) -> Iterator[Body]:
    """Thoughts, text and calls. The first call, or else the last of the text, is signed."""
    thinking = [] if answer.hides_reasoning else answer.reasoning
    yield from ({"text": piece, "thought": True} for piece in thinking)
    signature = (
        {"thoughtSignature": encoded(answer.signed_by("google"))} if answer.reasoning else {}
    )
    for number, piece in enumerate(answer.text, 1):
        is_end = number == len(answer.text) and answer.text_is_closed and not answer.calls
        yield {"text": piece, **(signature if is_end else {})}
    for call in answer.calls:
        if not answer.cuts(call) and call.raw is None:
            yield {"functionCall": function(call), **(signature if call is answer.calls[0] else {})}


def function(call: Call) -> Body:
    return {"id": call.id, "name": call.name, "args": call.arguments}


def encoded(signature: str) -> str:
    return b64encode(signature.encode()).decode()


def chunk(answer: Answer, body: Body, response_id: str, part: Body) -> Body:
    """A chunk before the last one counts what it was asked, and nothing of what it answers yet."""
    asked = answer.spent and {"promptTokenCount": answer.spent.input}
    return response(body, response_id, {"content": {"role": "model", "parts": [part]}}, asked)


def whole_of(body: Body, response_id: str, content: list[Body], answer: Answer) -> Body:
    candidate = {"content": {"role": "model", "parts": content}, **finish(answer)}
    return response(body, response_id, candidate, answer.spent and usage(answer.spent))


def response(body: Body, response_id: str, candidate: Body, counted: Body | None) -> Body:
    return {
        "candidates": [candidate | {"index": 0}],
        **({"usageMetadata": counted} if counted else {}),
        "modelVersion": body["model"],
        "responseId": response_id,
    }


def blocked(answer: Answer, body: Body, response_id: str) -> Body:
    """Gemini does not let its model answer at all."""
    told = {"blockReason": "SAFETY", "blockReasonMessage": "".join(answer.refusal)}
    whole = response(body, response_id, {}, answer.spent and usage(answer.spent))
    return whole | {"candidates": [], "promptFeedback": told}


def finish(answer: Answer) -> Body:
    """Gemini does not send a call that is no JSON: it says that it has failed to write one."""
    if any(call.raw is not None for call in answer.calls):
        told = f"Malformed function call: {answer.calls[0].raw}"
        return {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": told}
    return {"finishReason": answer.reason or ("MAX_TOKENS" if answer.full else "STOP")}


def usage(spent: Spent) -> Body:
    """Thoughts are counted beside the answer, not within it, and what is 0 is left out."""
    thoughts = spent.reasoning or 0
    counted = {
        "promptTokenCount": spent.input,
        "candidatesTokenCount": spent.output - thoughts,
        "totalTokenCount": spent.input + spent.output,
        "cachedContentTokenCount": spent.cache_read,
        "thoughtsTokenCount": thoughts,
    }
    return {name: count for name, count in counted.items() if count}


def whole(answer: Answer, body: Body, response_id: str) -> Body:
    if answer.refusal:
        return blocked(answer, body, response_id)
    return whole_of(body, response_id, list(parts(answer)), answer)


def malformed() -> Frame:
    return raw_event('{"candidates": [{"content": {"parts": [{"te')


def overloaded() -> Frame:
    return event(error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."))


def refusal(refusal: Refusal, request_id: str | None) -> Body:
    status, words = refusal_words(refusal)
    return error(refusal.status, status, words, *details(refusal))


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """The waiting time stands in the body."""
    return {}


def error(code: int, status: str, words: str, *details: Body) -> Body:
    told: Body = {"code": code, "message": words, "status": status}
    return {"error": told | ({"details": list(details)} if details else {})}


def details(refusal: Refusal) -> Iterator[Body]:
    kind = "type.googleapis.com/google.rpc"
    if refusal.kind == "quota":
        daily = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
        yield {"@type": f"{kind}.QuotaFailure", "violations": [daily]}
    if refusal.retry_after is not None:
        yield {"@type": f"{kind}.RetryInfo", "retryDelay": f"{refusal.retry_after}s"}


def refusal_words(refusal: Refusal) -> tuple[str, str]:
    match refusal.kind:
        case "rate_limit" | "quota":
            return "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan."
        case "overloaded":
            return "UNAVAILABLE", "The model is overloaded. Please try again later."
        case "unauthorised":
            return "UNAUTHENTICATED", f"API key not valid: {refusal.detail}"
        case "context":
            return "INVALID_ARGUMENT", (
                "The input token count (1198321) exceeds the maximum number of tokens allowed "
                "(1048576)."
            )
        case "invalid":
            return "INVALID_ARGUMENT", refusal.detail
        case _:
            return "INTERNAL", "An internal error has occurred. Please retry."


def complaint(body: Body) -> str | None:
    return rules.complaint(rules.gemini_content, body)


def said(body: Body) -> list[Said]:
    system = (body.get("systemInstruction") or {}).get("parts") or []
    found = [Said("system", part["text"]) for part in system]
    for content in body["contents"]:
        found += said_by(content)
    return found


def said_by(content: Body) -> Iterator[Said]:
    """Thoughts are one with the signature that stands on the part they led to."""
    thoughts = ""
    for part in content["parts"]:
        signature = rules.gemini_signature(part)
        if part.get("thought"):
            thoughts += part["text"]
        elif signature not in ("", rules.GEMINI_STAND_IN):
            yield Said("thinking", thoughts, signature.removeprefix("google"))
            thoughts = ""
        if not part.get("thought"):
            yield from said_in(part, content.get("role", "user"))
    if thoughts:
        yield Said("thinking", thoughts)


def said_in(part: Body, role: str) -> Iterator[Said]:
    if "functionCall" in part:
        call = part["functionCall"]
        yield Said("call", json.dumps(call["args"]), call["id"])
    elif "functionResponse" in part:
        response = part["functionResponse"]
        yield Said("result", result(response["response"]), response["id"])
    elif "text" in part:
        yield Said("assistant" if role == "model" else "user", part["text"])


def result(response: Body) -> str:
    """A result is an object; what is none stands under a key of the client's own choice."""
    only = next(iter(response.values())) if len(response) == 1 else None
    return only if isinstance(only, str) else json.dumps(response)
