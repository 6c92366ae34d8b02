"""A real LLM on this machine: no key, no network, and no great mind (135 million parameters).

    async with local_llm() as llm:
        chat = await create_chat(db, llm, instructions=INSTRUCTIONS, window=WINDOW)

It is SmolLM2 135M in a llama.cpp server in a separate process. `chatrecord setup-local` fetches
what it needs, once.
"""

from .llm import INSTRUCTIONS, WINDOW, local_llm
from .parts import find_weights, install, missing_parts
from .server import MODEL_NAME, LocalServer

__all__ = [
    "INSTRUCTIONS",
    "MODEL_NAME",
    "WINDOW",
    "LocalServer",
    "find_weights",
    "install",
    "local_llm",
    "missing_parts",
]
