"""Where requests are not kept, summaries and titles come all the same."""

from __future__ import annotations

from chatrecord import Compact
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say


async def test_summaries_and_titles_need_no_table_of_requests(any_url: str) -> None:
    async with Database(any_url, keep_requests=False) as db:
        script = Script(*[[say("word " * 60)] for _ in range(3)])
        compact = Compact(above=100, keep=1, llm=Script([say("the gist")]))
        chat = await create_chat(db, script, compact=compact)
        for n in range(3):
            await chat.ask(f"q{n}")

        (summary,) = await chat.summaries()
        assert await chat.generate_title(llm=Script([say("Words")])) == "Words"
        answers = [m for m in await chat.messages() if m.role == "assistant"]
        used = sum(each.tokens.output or 0 for each in (summary, *answers))
        assert (await chat.usage()).output_tokens == used
        await db.repair()  # looks for open requests, too, where there is a table of them
