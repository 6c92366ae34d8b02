"""What the library repeats of a chat is what was recorded there, each thing in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatrecord.sqlalchemy import Database

from .conversation import hold
from .facts import Said
from .recordings import Recording, parameters
from .wires import wire_of

every_chat = pytest.mark.parametrize("recording", list(parameters(answers=True, at_least=2)))
both_ways = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])


@both_ways
@every_chat
async def test_calls_results_and_signatures_are_sent_back_where_they_stood(
    db: Database, recording: Recording, streamed: bool
) -> None:
    """Every question is asked by a chat that was loaded from its rows."""
    held = await hold(db, recording, streamed=streamed)
    for exchange, sent in zip(recording.exchanges, held.received, strict=True):
        wire = wire_of(exchange)
        assert without_stand_ins(wire.said(sent.body)) == wire.said(exchange.asked)


STAND_IN = b"skip_thought_signature_validator".hex()
"""An exception: what pydantic-ai signs a turn's first call with where Gemini gave no signature.

Google documents it for calls that come from elsewhere. The recorded client sent such calls as they
had come, unsigned. A signature that Gemini did give is never replaced.
"""


def without_stand_ins(said: list[Said]) -> list[Said]:
    return [replace(words, signature=words.signature.replace(STAND_IN, "")) for words in said]
