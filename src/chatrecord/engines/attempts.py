"""One job of an engine: a run that is answered, or tried again later."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from chatrecord.chats.working import LLMFor
from chatrecord.errors import (
    AnsweredElsewhere,
    ApprovalPending,
    ChatBusy,
    ChatNotFound,
    DatabaseFailed,
    HandedBack,
    RunError,
    RunNotFound,
)
from chatrecord.sqlalchemy.database import AnyDatabase
from chatrecord.text.redaction import named

__all__ = ["LLMFor", "attempt", "dispatch_queued"]

log = logging.getLogger("chatrecord")

SOON = 1.0
"""Seconds after which a run is tried again that waits for another run of its chat."""

LATER = 10.0
"""Seconds after which a run is tried again that another worker answers, who may have died."""

UNKNOWN_ATTEMPTS = 10
"""How often a run that is not there is tried: its transaction may not be committed yet."""


async def attempt(
    db: AnyDatabase, run_id: UUID | str, llm_for: LLMFor, *, attempts: int = 0
) -> float | None:
    """Answer a run. Returns `None` if it has ended or waits for approval, or else the seconds
    after which it is to be tried again.

        while (seconds := await attempt(db, run_id, llm_for)) is not None:
            await asyncio.sleep(seconds)

    A run that fails has ended, too: its error is stored with it. `attempts` is how often it was
    tried before. What is raised is the application's to mend, such as a `ConfigurationError`.
    """
    try:
        await db.work_on(run_id, llm_for)
    except AnsweredElsewhere:
        return LATER
    except ApprovalPending:
        return None
    except (ChatBusy, HandedBack):
        return SOON
    except RunNotFound:
        if attempts < UNKNOWN_ATTEMPTS:
            return SOON
        log.warning("Run %s is not here, and will not be answered: it was deleted", run_id)
    except ChatNotFound:
        log.warning("The chat of run %s was deleted", run_id)
    except DatabaseFailed as error:
        log.warning("Run %s is tried again later: %s", run_id, named(error))
        return LATER
    except RunError as error:
        log.info("Run %s has ended: %s", run_id, type(error).__name__)
    return None


async def dispatch_queued(
    db: AnyDatabase, dispatch: Callable[[UUID], Awaitable[object]], *, limit: int = 100
) -> int:
    """Hand queued runs to an engine again, the oldest first. Returns how many.

        await dispatch_queued(db, answers.dispatch)

    Call it from a timer, such as once a minute: a job is lost where a process dies between its
    commit and the engine, or where the engine loses it. Runs of workers that died are queued again
    first. A job for a run that is answered already, or twice, does no harm.
    """
    await db.repair()
    ready = await db.store.ready_runs(limit=limit)
    for run in ready:
        await dispatch(run.id)
    return len(ready)
