"""Engines that carry jobs, for answers by workers: each hands the id of a run to a worker.

    from chatrecord.engines.procrastinate import ProcrastinateAnswers

The question is a row before an engine hears of it, so that a job may come twice, or be lost:
`dispatch_queued` hands over again what no worker has taken.
"""

from .attempts import LLMFor, attempt, dispatch_queued

__all__ = ["LLMFor", "attempt", "dispatch_queued"]
