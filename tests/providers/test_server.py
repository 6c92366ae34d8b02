"""The server itself: what the real clients read from it, and what it refuses."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI, BadRequestError
from pydantic_ai import Agent
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelContextWindowExceededError,
    ModelRateLimitError,
    ModelServerError,
)
from pydantic_ai.messages import ThinkingPart
from pydantic_ai.models import Model

from . import anthropic_messages, gemini_content, openai_chat, openai_responses
from .answers import (
    Answer,
    Call,
    Refusal,
    Spent,
    context_too_long,
    rate_limited,
    says,
    server_error,
    sign,
    unauthorised,
)
from .anthropic_messages import search_result, search_use
from .conftest import Provider
from .gemini_content import encoded
from .rows import until
from .server import ProviderServer
from .wire import Body, Said, Wire

SPENT = Spent(input=1000, output=200, cache_read=400, reasoning=64)
WEATHER = Call("call_1", "weather", {"city": "Oslo"})
TIME = Call("call_2", "time", {"city": "Oslo"})


async def streamed(agent: Agent, prompt: str, **options: object) -> object:
    """Run with streaming requests, as chatrecord does."""

    async def ignore(_context: object, events: object) -> None:
        async for _ in events:  # type: ignore[attr-defined]
            pass

    return await agent.run(prompt, event_stream_handler=ignore, **options)  # type: ignore[call-overload]


def weather(city: str) -> str:
    return f"sunny in {city}"


def time(city: str) -> str:
    return f"noon in {city}"


async def test_a_streamed_answer_arrives_whole(server: ProviderServer, llm: Model) -> None:
    server.script(says("Hel", "lo", spent=SPENT))
    result = await streamed(Agent(llm), "Hi")
    assert result.output == "Hello"
    usage = result.usage
    assert (usage.input_tokens, usage.output_tokens) == (1000, 200)
    assert (usage.cache_read_tokens, usage.details.get("reasoning_tokens") or 64) == (400, 64)


async def test_an_unstreamed_answer_arrives_whole(server: ProviderServer, llm: Model) -> None:
    server.script(Answer(text=("Hello",), calls=(WEATHER,)), says("sunny"))
    result = await Agent(llm, tools=[weather]).run("Hi")
    assert result.output == "sunny"


async def test_reasoning_arrives_with_its_signature_and_is_accepted_back(
    server: ProviderServer, llm: Model, provider: Provider
) -> None:
    server.script(Answer(reasoning=("Hm", "m."), text=("Yes",)), says("Still yes"))
    agent = Agent(llm, model_settings=provider.thinks)
    first = await streamed(agent, "Sure?")
    thinking = next(
        part for part in first.all_messages()[-1].parts if isinstance(part, ThinkingPart)
    )
    await streamed(agent, "Really?", message_history=first.all_messages())
    assert thinking.content == "Hmm."
    if provider.signs_thoughts:
        assert (thinking.signature or "").endswith(sign("Hmm."))
    if provider.repeats_reasoning:
        assert Said("thinking", "Hmm.", sign("Hmm.")) in server.received[1].said()


async def test_parallel_tool_calls_make_a_round(server: ProviderServer, llm: Model) -> None:
    server.script(Answer(calls=(WEATHER, TIME)), says("done"))
    await streamed(Agent(llm, tools=[weather, time]), "Weather and time?")
    results = {(said.id, said.text) for said in server.received[1].said() if said.who == "result"}
    assert results == {("call_1", "sunny in Oslo"), ("call_2", "noon in Oslo")}


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (rate_limited(0.05), ModelRateLimitError),
        (server_error(), ModelServerError),
        (unauthorised("sk-wrong"), ModelAuthenticationError),
        (context_too_long(), ModelContextWindowExceededError),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_a_refusal_is_known_to_the_client(
    server: ProviderServer, llm: Model, refusal: Refusal, error: type[Exception]
) -> None:
    server.script(refusal)
    with pytest.raises(error) as caught:
        await streamed(Agent(llm), "Hi")
    assert caught.value.status_code == refusal.status  # type: ignore[attr-defined]
    assert caught.value.retry_after == refusal.retry_after  # type: ignore[attr-defined]


async def test_a_truncated_stream_ends_cleanly(server: ProviderServer, llm: Model) -> None:
    server.script(says("Hel", "lo", ends="truncated"))
    result = await streamed(Agent(llm), "Hi")
    assert result.output == "Hello"


async def test_a_client_that_leaves_is_noticed(server: ProviderServer, llm: Model) -> None:
    server.script(says("Hel", ends="stalled"))
    reading = asyncio.create_task(streamed(Agent(llm), "Hi"))
    await until(lambda: server.received and server.received[0].pieces_sent == 1)
    await asyncio.sleep(
        0.1
    )  # between two chunks Google's client leaves its closing to the collector
    assert not server.received[0].client_left.is_set()
    reading.cancel()
    await asyncio.wait_for(server.received[0].client_left.wait(), 1)


async def test_a_breach_is_answered_with_400() -> None:
    async with (
        ProviderServer() as strict,
        AsyncOpenAI(base_url=f"{strict.address}/v1", api_key="sk-none", max_retries=0) as client,
    ):
        with pytest.raises(BadRequestError, match="empty"):
            await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": ""}]
            )
    assert strict.faults == ["request 1: Invalid 'messages[0].content': empty."]


CHAT_BREACHES: dict[str, list[Body]] = {
    "unanswered call": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [{"id": "call_1"}]},
        {"role": "user", "content": "Well?"},
    ],
    "answered twice": [
        {"role": "assistant", "tool_calls": [{"id": "call_1"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
    ],
    "empty assistant": [{"role": "assistant", "content": ""}, {"role": "user", "content": "Hi"}],
    "empty part": [{"role": "user", "content": [{"type": "text", "text": ""}]}],
    "unknown role": [{"role": "robot", "content": "Hi"}],
    "unknown key": [{"role": "user", "content": "Hi", "rs_1": "Hmm."}],
    "unknown key of a part": [
        {"role": "user", "content": [{"type": "text", "text": "Hi", "citations": []}]}
    ],
}
RESPONSES_BREACHES: dict[str, list[Body]] = {
    "unanswered call": [{"type": "function_call", "call_id": "call_1"}],
    "answer to nothing": [{"type": "function_call_output", "call_id": "call_1", "output": "x"}],
    "reasoning alone": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "encrypted_content": sign("", by="openai"),
        },
        {"role": "user", "content": "Hi"},
    ],
    "unsigned reasoning": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "assistant", "content": "Hi"},
    ],
    "empty content": [{"role": "assistant", "content": ""}],
    "unknown key": [{"role": "user", "content": "Hi", "reasoning_content": "Hmm."}],
    "id of another provider": [
        {"type": "message", "id": "chatcmpl-1", "role": "assistant", "content": "Hi"}
    ],
    "same id twice": [
        {"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi"},
    ],
}
USE: Body = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}
RESULT: Body = {"type": "tool_result", "tool_use_id": "call_1", "content": "x"}
HI: Body = {"type": "text", "text": "Hi"}
ANTHROPIC_BREACHES: dict[str, list[Body]] = {
    "assistant first": [{"role": "assistant", "content": [HI]}],
    "assistant last": [{"role": "user", "content": [HI]}, {"role": "assistant", "content": [HI]}],
    "unanswered call": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [HI]},
    ],
    "answered twice": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [RESULT, RESULT]},
    ],
    "answer to nothing": [{"role": "user", "content": [RESULT]}],
    "results after text": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [HI, RESULT]},
    ],
    "empty text": [{"role": "user", "content": [{"type": "text", "text": ""}]}],
    "empty message": [{"role": "user", "content": []}],
    "unknown key": [{"role": "user", "content": [HI | {"annotations": []}]}],
    "search without a result": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [search_use("srvtoolu_1"), HI]},
        {"role": "user", "content": [HI]},
    ],
    "result of no search": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [search_result("srvtoolu_1"), HI]},
        {"role": "user", "content": [HI]},
    ],
    "unsigned thinking": [
        {"role": "user", "content": [HI]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}, HI]},
        {"role": "user", "content": [HI]},
    ],
    "forged thinking": [
        {"role": "user", "content": [HI]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "x", "signature": sign("y", by="anthropic")},
                HI,
            ],
        },
        {"role": "user", "content": [HI]},
    ],
    "thinking of another provider's": [
        {"role": "user", "content": [HI]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "x", "signature": sign("x", by="openai")},
                HI,
            ],
        },
        {"role": "user", "content": [HI]},
    ],
    "thinking last": [
        {"role": "user", "content": [HI]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "x", "signature": sign("x", by="anthropic")}
            ],
        },
        {"role": "user", "content": [HI]},
    ],
}
GEMINI_CALL: Body = {
    "functionCall": {"id": "call_1", "name": "weather", "args": {}},
    "thoughtSignature": encoded(sign("", by="google")),
}
GEMINI_RESULT: Body = {"functionResponse": {"id": "call_1", "name": "weather", "response": {}}}
ASKED: Body = {"role": "user", "parts": [{"text": "Hi"}]}
GEMINI_BREACHES: dict[str, list[Body]] = {
    "nothing": [],
    "model first": [{"role": "model", "parts": [{"text": "Hi"}]}, ASKED],
    "model last": [ASKED, {"role": "model", "parts": [{"text": "Hi"}]}],
    "unknown role": [{"role": "assistant", "parts": [{"text": "Hi"}]}],
    "unknown key": [{"role": "user", "parts": [{"text": "Hi", "id": "msg_1"}]}],
    "unanswered call": [ASKED, {"role": "model", "parts": [GEMINI_CALL]}, ASKED],
    "answered twice": [
        ASKED,
        {"role": "model", "parts": [GEMINI_CALL]},
        {"role": "user", "parts": [GEMINI_RESULT, GEMINI_RESULT]},
    ],
    "answer to nothing": [ASKED, {"role": "user", "parts": [GEMINI_RESULT]}],
    "unsigned call": [
        ASKED,
        {"role": "model", "parts": [{"functionCall": GEMINI_CALL["functionCall"]}]},
        {"role": "user", "parts": [GEMINI_RESULT]},
    ],
    "forged signature": [
        ASKED,
        {"role": "model", "parts": [{"text": "Hi", "thoughtSignature": encoded("googleSig1")}]},
        ASKED,
    ],
    "signature of other thoughts": [
        ASKED,
        {"role": "model", "parts": [{"text": "Hm", "thought": True}, GEMINI_CALL]},
        {"role": "user", "parts": [GEMINI_RESULT]},
    ],
    "empty text": [{"role": "user", "parts": [{"text": ""}]}],
    "empty part": [{"role": "user", "parts": [{}]}],
    "no parts": [{"role": "user", "parts": []}],
}
BREACHES = [
    pytest.param(wire, key, breach, id=f"{wire.path}: {name}")
    for wire, key, breaches in (
        (openai_chat, "messages", CHAT_BREACHES),
        (openai_responses, "input", RESPONSES_BREACHES),
        (anthropic_messages, "messages", ANTHROPIC_BREACHES),
        (gemini_content, "contents", GEMINI_BREACHES),
    )
    for name, breach in breaches.items()
]


@pytest.mark.parametrize(("wire", "key", "breach"), BREACHES)
def test_a_breach_of_a_providers_rules_is_seen(wire: Wire, key: str, breach: list[Body]) -> None:
    assert wire.complaint({"max_tokens": 10, key: breach})
