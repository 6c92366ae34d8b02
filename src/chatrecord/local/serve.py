"""The local LLM's process: a llama.cpp server that lives while its standard input is open.

Run as a script, so that it loads the engine and nothing else. Prints its address once it answers.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Any

CONTEXT = 2048
LONGEST_ANSWER = 400


def main(weights: str, alias: str) -> None:
    """Serve until the process that started this closes our standard input, or dies."""
    owner = Thread(target=_exit_with_parent, daemon=True)
    owner.start()
    server = _loaded(weights, alias)
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{server.listening_address}\n")
        sys.stdout.flush()
    owner.join()


def _exit_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    # At once, even while loading or during an answer: no reader is left.
    os._exit(0)


def _loaded(weights: str, alias: str) -> Any:
    engine = import_module("xllamacpp")
    try:
        return engine.Server(_parameters(engine, weights, alias))
    except RuntimeError as error:
        raise SystemExit(str(error)) from error


def _parameters(engine: Any, weights: str, alias: str) -> Any:
    parameters = engine.CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.verbosity = 1
    _set_size(parameters)
    _set_sampling(parameters)
    return parameters


def _set_size(parameters: Any) -> None:
    parameters.n_ctx = CONTEXT
    parameters.n_predict = LONGEST_ANSWER
    parameters.n_parallel = 1
    # More than one llama thread collapses as soon as any other process is busy.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.n_threads_http = 8
    parameters.fit_params = False
    parameters.cache_ram_mib = 0
    # When the window has moved on, what is still in it is shifted in the cache, not read again.
    parameters.n_cache_reuse = 16


def _set_sampling(parameters: Any) -> None:
    """Found by trying: most facts right, no loops, and no drifting into other languages."""
    parameters.sampling.temp = 0.1
    parameters.sampling.top_p = 0.9
    parameters.sampling.penalty_repeat = 1.08
    parameters.sampling.penalty_last_n = 256


if __name__ == "__main__":
    main(*sys.argv[1:])
