"""How often in a row the worker of a run has died, as the settings of its row keep it."""

from __future__ import annotations

from dataclasses import replace

from chatrecord.records import Run

MAX_WORKER_DEATHS = 3
"""After so many deaths in a row a run is not tried again: what kills its workers may be the run."""

_KEY = "worker_deaths"


def worker_deaths(run: Run) -> int:
    """How many workers have died of it since one of them has let go of it in order."""
    deaths = run.settings.get(_KEY) if isinstance(run.settings, dict) else None
    return deaths if isinstance(deaths, int) else 0


def with_one_more(run: Run) -> Run:
    """Its worker has died."""
    kept = run.settings if isinstance(run.settings, dict) else {}
    return replace(run, settings={**kept, _KEY: worker_deaths(run) + 1})


def with_none(run: Run) -> Run:
    """It has ended, or its worker has let go of it in order."""
    if not isinstance(run.settings, dict) or _KEY not in run.settings:
        return run
    settings = {key: value for key, value in run.settings.items() if key != _KEY}
    return replace(run, settings=settings)
