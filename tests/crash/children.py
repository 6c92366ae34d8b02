"""Real processes, forked from a server that has imported everything they need."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

# The server imports the children once and forks them many times; it finds them by this only.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "clock_child",
        "compacting_child",
        "crash_child",
        "creating_child",
        "erasing_child",
        "crowd_child",
        "forking_child",
        "peer_child",
        "shutdown_child",
        "worker_child",
    ]
)
