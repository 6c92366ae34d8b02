"""`chatrecord setup-local`: fetch what the LLM on this machine needs, once."""

from __future__ import annotations

from argparse import Namespace

from chatrecord.local import LocalServer, install, missing_parts

from .program import PROGRAM


def run(_arguments: Namespace) -> int:
    """Install what is missing, and start the LLM once to see that it works."""
    for part in missing_parts():
        _tell(f"Fetching the {part.name} of the local LLM ({part.megabytes} MB) ...")
        install(part)
    _tell("Starting the local LLM once ...")
    with LocalServer():
        _tell(f"It is ready. Talk to it with: {PROGRAM} chat")
    return 0


def _tell(line: str) -> None:
    # At once: the installer writes to the same terminal by itself.
    print(line, flush=True)
