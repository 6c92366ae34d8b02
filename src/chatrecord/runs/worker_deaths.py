"""How many workers of a run have died in a row. The settings of its row keep the number."""

from __future__ import annotations

from dataclasses import replace

from chatrecord.records import Run

MAX_WORKER_DEATHS = 3
"""After so many deaths in a row a run is not tried again: it may be the run that kills them."""

_KEY = "worker_deaths"


def worker_deaths(run: Run) -> int:
    """How many have died since the run was submitted, or since one of them let go of it."""
    deaths = run.settings.get(_KEY) if isinstance(run.settings, dict) else None
    return deaths if isinstance(deaths, int) else 0


def with_another_death(run: Run) -> Run:
    """The run after its worker has died."""
    kept = run.settings if isinstance(run.settings, dict) else {}
    return replace(run, settings={**kept, _KEY: worker_deaths(run) + 1})


def without_deaths(run: Run) -> Run:
    """The run after it has ended, or after its worker has let go of it."""
    if not isinstance(run.settings, dict) or _KEY not in run.settings:
        return run
    settings = {key: value for key, value in run.settings.items() if key != _KEY}
    return replace(run, settings=settings)
