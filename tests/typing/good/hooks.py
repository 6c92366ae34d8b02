"""Hooks, plain and `async`, and the capability on its own."""

from collections.abc import Mapping
from uuid import UUID

from pydantic_ai import Agent

from chatrecord.hooks import (
    Answered,
    Hook,
    LogUsage,
    MaskPersonalData,
    Moderate,
    Replaced,
    RunEnd,
    Sending,
    Text,
    ToolUse,
    ToolUsed,
    Veto,
)
from chatrecord.pydantic_ai import Persisted, message_history
from chatrecord.sqlalchemy import Database, create_chat


class Plain(Hook):
    def before_request(self, sending: Sending) -> Sending:
        return sending.changed(lambda text: text.text.strip())

    def before_tool(self, use: ToolUse) -> Mapping[str, object] | Veto | None:
        return Veto("no") if use.name == "pay" else {**use.arguments, "amount": 1}

    def after_tool(self, used: ToolUsed) -> Replaced | None:
        return None if used.result else Replaced("nothing", in_row=True)

    def before_store(self, chat_id: UUID, text: Text) -> str:
        return text.text if text.kind == "user" else ""


class Asynchronous(Hook):
    async def before_request(self, sending: Sending) -> None:
        print(len(sending.texts))

    async def after_response(self, answered: Answered) -> None:
        print(answered.request.tokens.input)

    async def before_tool(self, use: ToolUse) -> Veto | None:
        return None

    async def on_run_end(self, end: RunEnd) -> None:
        print(end.reply.text if end.reply else end.error)


async def refuse(text: str) -> str | None:
    return text or None


async def use(db: Database) -> str:
    hooks = [Plain(), Asynchronous(), MaskPersonalData(rows="mask"), LogUsage()]
    await create_chat(db, "openai:gpt-5.2", hooks=[*hooks, Moderate(prompts=refuse)])
    agent = Agent("openai:gpt-5.2", capabilities=[Persisted(db, user_id="u1", hooks=hooks)])
    result = await agent.run("hello")
    history = await message_history(db, result.conversation_id, user_id="u1")
    return (await agent.run("and now?", message_history=history)).output
